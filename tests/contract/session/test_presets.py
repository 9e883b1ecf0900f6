"""Where presets are kept, and which is a host's default."""

import asyncio

from services.session.catalog.presets.domain import Preset
from services.session.catalog.presets.repository import PresetRepository
from shared.ids import new_id
from tests.unit.session.builders import HOST, LIBRARY, preset, settings


async def add(presets: PresetRepository, *made: Preset) -> None:
    for one in made:
        await presets.add(one, one.created(is_default=False))


async def test_a_preset_comes_back_as_it_was_kept(presets: PresetRepository) -> None:
    made = preset(settings=settings(logo="https://example.com/a.png", max_join_limit=3, chat_enabled=False))
    await add(presets, made)
    assert await presets.get(made.id) == made


async def test_a_host_has_one_default_in_each_library(presets: PresetRepository) -> None:
    first, second, elsewhere = preset(), preset(), preset(library_id=new_id())
    everything = [first, second, elsewhere]
    await add(presets, *everything)
    assert await presets.defaults_among(everything) == frozenset()
    for one in (first, elsewhere, second):
        await presets.set_default(one)
    assert await presets.defaults_among(everything) == {second.id, elsewhere.id}
    assert await presets.defaults_among([first]) == frozenset()
    await presets.unset_default(first)
    assert await presets.defaults_among(everything) == {second.id, elsewhere.id}
    await presets.unset_default(second)
    assert await presets.defaults_among(everything) == {elsewhere.id}
    assert await presets.defaults_among([]) == frozenset()


async def test_of_defaults_set_at_once_one_holds(presets: PresetRepository) -> None:
    made = [preset() for _ in range(5)]
    await add(presets, *made)
    await asyncio.gather(*(presets.set_default(one) for one in made))
    assert len(await presets.defaults_among(made)) == 1


async def test_a_hosts_presets_are_listed(presets: PresetRepository) -> None:
    library = new_id()
    mine = [preset() for _ in range(3)]
    other, elsewhere = preset(user_id=new_id()), preset(library_id=library)
    await add(presets, *mine, other, elsewhere)
    assert await presets.list_of_user(HOST, None, 0, 10) == ([elsewhere, *mine[::-1]], 4)
    assert await presets.list_of_user(HOST, LIBRARY, 1, 1) == ([mine[1]], 3)
    assert await presets.list_of_user(HOST, library, 0, 10) == ([elsewhere], 1)
    await presets.remove(elsewhere.id, Preset.delete)
    assert await presets.list_of_user(HOST, library, 0, 10) == ([], 0)
