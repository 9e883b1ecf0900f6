"""Sound of any kind becomes what LiveKit's SDK takes: 48 kHz, two channels, 10 ms at a time."""

import av
from av.filter import Graph

RATE, CHANNELS = 48_000, 2
PIECE = RATE // 100
_FORMAT = f"sample_fmts=s16:sample_rates={RATE}:channel_layouts=stereo"


class SoundFilter:
    """For one thread. Rebuilt by libavfilter whenever the sound's properties change."""

    def __init__(self) -> None:
        self._shape: tuple[object, ...] | None = None
        self._graph = Graph()

    def apply(self, frame: av.AudioFrame) -> list[bytes]:
        """Pieces of `PIECE` samples, their channels interleaved, in 16 bits."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            self._shape = shape
            self._graph = _graph(*shape)
        frame.pts = None
        self._graph.push(frame)
        return _pulled(self._graph)


def _graph(sample_format: str, layout: str, rate: int) -> Graph:
    graph = Graph()
    source = f"sample_fmt={sample_format}:channel_layout={layout}:sample_rate={rate}:time_base=1/{rate}"
    graph.link_nodes(
        graph.add("abuffer", source),
        graph.add("aformat", _FORMAT),
        graph.add("asetnsamples", f"n={PIECE}:p=0"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pulled(graph: Graph) -> list[bytes]:
    pulled: list[bytes] = []
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return pulled
        pulled.append(bytes(memoryview(frame.planes[0]))[: PIECE * CHANNELS * 2])
