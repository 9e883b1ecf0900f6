"""An encoder by WHIP: the demo's picture and tone, until it is killed.

python -m tests.e2e.whip_encoder URL
"""

import sys
import time
from fractions import Fraction

import av
import numpy as np

from deploy.demo.host_signal import HEIGHT, RATE, WIDTH, HostPicture, Tone

FPS = 25
PIECE = 960  # samples: 20 ms, what an Opus packet holds


def main(url: str) -> None:
    picture, tone = HostPicture(), Tone()
    with av.open(url, "w", format="whip") as outgoing:
        video = outgoing.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(FPS)}
        audio = outgoing.add_stream("libopus", rate=RATE, layout="stereo")
        began, samples = time.monotonic(), 0
        for number in range(FPS * 600):
            time.sleep(max(0.0, began + number / FPS - time.monotonic()))
            data = np.frombuffer(picture.draw(int(time.monotonic() * 1000)), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(data.reshape(HEIGHT * 3 // 2, WIDTH), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            outgoing.mux(video.encode(frame))
            while samples < (number + 1) * RATE // FPS:
                both = np.repeat(tone.samples(PIECE), 2)[None, :]
                sound = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
                sound.sample_rate, sound.pts, sound.time_base = RATE, samples, Fraction(1, RATE)
                outgoing.mux(audio.encode(sound))
                samples += PIECE


if __name__ == "__main__":
    main(sys.argv[1])
