"""The live page in a browser: the picture moves, figures and charts follow, silent, accessible, at any width."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from browsers import IN_A_BROWSER
from made_live import COUNTING, KEPT_BEFORE, labelled, running, second

from profiler.live.web import Hub, serve
from profiler.live.web.app import EventFeed, events
from profiler.records import Shown, Spread

pytestmark = IN_A_BROWSER

TOKEN = "a token & more"
SIGNATURE = """() => {
  const picture = document.getElementById("picture");
  if (!picture.complete && !picture.naturalWidth) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 48];
  const ink = canvas.getContext("2d");
  ink.drawImage(picture, 0, 0, 64, 48);
  return ink.getImageData(0, 0, 64, 48).data.join();
}"""
"""What the picture shows now, as a string."""


class Seen:
    """A page that shows a hub."""

    def __init__(self, browser: Any, hub: Hub, url: str, **settings: Any) -> None:
        self.hub = hub
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page = browser.new_page(**settings)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url, wait_until="domcontentloaded")

    def reads(self, place: str, text: str) -> None:
        """Waits until that element's text has `text` in it."""
        self.page.wait_for_function(
            "([place, text]) => document.querySelector(place).textContent.includes(text)", arg=[place, text]
        )

    def changed(self, before: str | None) -> str:
        """What the picture shows once it is another."""
        self.page.wait_for_function(f"before => ![null, before].includes(({SIGNATURE})())", arg=before)
        return str(self.page.evaluate(SIGNATURE))


@contextmanager
def opened(browser: Any, token: str | None = None, hub: Hub | None = None, **settings: Any) -> Iterator[Seen]:
    """A served hub with a first frame and second, and its page."""
    if hub is None:
        hub = Hub("litert cat-dog.tflite, made camera")
        hub.second(second(1))
    hub.labelled(labelled(1))
    with serve(hub, "127.0.0.1", 0, token) as url:
        shown = Seen(browser, hub, url, **settings)
        try:
            yield shown
        finally:
            shown.page.close()


def points(page: Any, chart: str) -> list[int]:
    """How many points each line of a chart has."""
    paths = page.locator(f"#{chart}-chart path.line").evaluate_all("all => all.map(path => path.getAttribute('d'))")
    return [path.count("M") + path.count("L") for path in paths]


def marks(page: Any) -> list[str]:
    """What stands at the marks of the time axis."""
    return list(page.locator("#latency-chart .mark").evaluate_all("all => all.map(text => text.textContent)"))


def test_each_picture_is_shown_when_it_comes_and_not_with_the_next(browser: Any) -> None:
    with opened(browser) as shown:
        seen = [shown.changed(None)]
        for number in range(2, 6):
            shown.hub.labelled(labelled(number * 5))
            seen.append(shown.changed(seen[-1]))
        assert len(set(seen)) == 5
        assert shown.hub.encoded == 5
        assert shown.said == []


def test_label_figures_and_charts_follow(browser: Any) -> None:
    with opened(browser) as shown:
        shown.reads("#label", "cat")
        shown.reads("#probability", "90.1 %")
        dog = (Shown(label="dog", probability=0.876), Shown(label="cat", probability=0.124))
        shown.hub.labelled(labelled(2, answers=dog))
        shown.reads("#label", "dog")
        shown.reads("#probability", "87.6 %")
        assert shown.page.locator("#answers li").all_inner_texts() == ["dog\n87.6 %", "cat\n12.4 %"]
        sure = (Shown(label="dog", probability=1.0), Shown(label="cat", probability=0.0))
        shown.hub.labelled(labelled(3, answers=sure))
        shown.reads("#probability", "100.0 %")
        nearly = (Shown(label="dog", probability=0.9999), Shown(label="cat", probability=0.0001))
        shown.hub.labelled(labelled(4, answers=nearly))
        shown.reads("#probability", ">99.9 %")
        assert shown.page.locator("#answers li").all_inner_texts() == ["dog\n>99.9 %", "cat\n<0.1 %"]
        high = shown.page.locator("#answers li").evaluate_all("all => all.map(line => line.offsetHeight)")
        assert high[0] == high[1]
        for number, rate in ((2, 12.345), (3, 143.2)):
            shown.hub.second(second(number, fps=rate))
            shown.reads("#fps", f"{rate:.3g}")
            assert points(shown.page, "rate") == [number] * 2
            assert points(shown.page, "latency") == [number] * 3
        assert marks(shown.page) == ["now", "10", "20", "30"]
        assert "143" in shown.page.locator("#rate-legend").inner_text()
        assert "143" in shown.page.locator("#rate-chart").get_attribute("aria-label")
        assert shown.said == []


def test_a_new_viewer_sees_the_last_two_minutes(browser: Any) -> None:
    hub = Hub()
    for number in range(1, 300):
        hub.second(second(number))
    hub.second(second(300, latency_ms=Spread(count=5, p50=3.0, p95=None, p99=None)))
    with opened(browser, hub=hub) as shown:
        hub.second(second(301))
        shown.reads("#totals", "5 min 1 s")
        assert marks(shown.page) == ["now", "30", "60", "90", "120"]
        counts = points(shown.page, "latency")
        assert counts == [120, 119, 119]
        inside = shown.page.locator("#rate-chart").evaluate(
            "chart => [...chart.querySelectorAll('text')].every(text => {"
            "  const [box, all] = [text.getBoundingClientRect(), chart.getBoundingClientRect()];"
            "  return box.left >= all.left - 1 && box.right <= all.right + 1 && box.bottom <= all.bottom + 1; })"
        )
        assert inside


def test_all_figures_of_a_second_are_shown(browser: Any) -> None:
    with opened(browser) as shown:
        shown.hub.second(
            second(95, counting=COUNTING, total_corrupt=3, total_reconnects=1, state=_state(throttled=0x50004))
        )
        shown.reads("#totals", "1 min 35 s")
        text = shown.page.locator("main").inner_text()
    for part in (
        "2,660 frames in 1 min 35 s",
        "3 corrupt reads in all",
        "The source was opened anew 1 time.",
        "113 % of one",
        "1.40",
        "61.2 °C",
        "1.50 to 2.40 GHz",
        "now: throttled",
        "1.23",
        "LLC-load-misses a frame, scaled (counted 62.5 % of the time)",
        "51.2 k",
        "n/a: not supported by this core",
        "Of this whole process, user, over 30 frames.",
        "61.3 %",
        "35.1",
        "190 in all",
    ):
        assert part in text


def test_what_this_machine_does_not_tell_is_absent_and_not_nought(browser: Any) -> None:
    with opened(browser) as shown:
        shown.hub.second(
            second(2, state=_state(load_1min=None, clock_hz=None, temperature_celsius=None, throttled=None))
        )
        shown.reads("#machine", "n/a")
        assert shown.page.locator("#machine dd").all_inner_texts()[1:] == ["n/a"] * 4
        shown.reads("#counting", "n/a: this machine shows no hardware counters (no PMU)")
        assert shown.page.locator("#counters div").count() == 0


def test_trouble_is_said_and_unsaid(browser: Any) -> None:
    with opened(browser) as shown:
        shown.reads("#fps", "28")
        assert shown.page.locator("#trouble").is_hidden()
        shown.hub.second(second(2, trouble="the camera is gone; trying again"))
        shown.reads("#trouble", "the camera is gone; trying again")
        assert shown.page.get_by_role("status").is_visible()
        shown.hub.second(second(3))
        shown.page.wait_for_function("() => document.querySelector('#trouble').hidden")


def test_labels_are_text_of_any_script(browser: Any) -> None:
    hostile = "<img src=x onerror=alert(1)> Kätzchen 猫"
    with opened(browser) as shown:
        shown.hub.labelled(labelled(2, answers=(Shown(label=hostile, probability=1.0),)))
        shown.reads("#label", hostile)
        assert shown.page.locator("img").count() == 1
        assert shown.said == []


def test_a_probability_that_is_no_number_is_absent(browser: Any) -> None:
    with opened(browser) as shown:
        shown.hub.labelled(labelled(2, answers=(Shown(label="odd", probability=float("nan")),)))
        shown.reads("#label", "odd")
        shown.reads("#probability", "n/a")
        assert shown.said == []


def test_the_end_is_shown_and_the_last_picture_stays(browser: Any) -> None:
    hub = Hub()
    hub.labelled(labelled(1))
    with serve(hub, "127.0.0.1", 0, None) as url:
        shown = Seen(browser, hub, url)
        last = shown.changed(None)
        hub.second(second(7))
        shown.reads("#totals", "7 s")
    shown.reads("#trouble", "The session has ended")
    assert shown.page.evaluate(SIGNATURE) == last
    assert shown.said == []
    shown.page.close()


def test_a_lost_connection_is_said_and_found_again(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first server ends without a word, as a board that loses its power; another takes its place."""

    async def mute(feed: EventFeed) -> AsyncIterator[bytes]:
        async for event in events(feed):
            if not event.startswith(b"event: end"):
                yield event

    first, second_one = Hub(), Hub()
    for hub, number in ((first, 1), (second_one, 30)):
        hub.labelled(labelled(number))
        hub.second(second(number))
    with monkeypatch.context() as patched, serve(first, "127.0.0.1", 0, None) as url:
        patched.setattr("profiler.live.web.app.events", mute)
        shown = Seen(browser, first, url)
        before = shown.changed(None)
        shown.reads("#totals", "in 1 s")
    shown.reads("#trouble", "The connection is lost")
    with serve(second_one, "127.0.0.1", urlsplit(url).port or 0, None):
        shown.reads("#totals", "in 30 s")
        assert shown.page.locator("#trouble").is_hidden()
        shown.changed(before)
        shown.page.close()


def test_a_server_that_says_nothing_is_asked_anew(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiler.live.web.app._SILENCE_S", 1e9)
    page = browser.new_page()
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    hub = Hub()
    hub.second(second(1))
    with serve(hub, "127.0.0.1", 0, None) as url:
        page.goto(url, wait_until="domcontentloaded")
        page.wait_for_function("() => document.querySelector('#totals').textContent.includes('1 s')")
        assert asked.count("/events") == 1
        with page.expect_request("**/events"):
            page.clock.fast_forward(7000)
        assert asked.count("/events") == 2
        page.close()


def test_a_hidden_page_watches_no_picture(browser: Any) -> None:
    hide = (
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    with opened(browser) as shown:
        seen = shown.changed(None)
        assert shown.hub.watchers == 1
        shown.page.evaluate(hide, True)
        while shown.hub.watchers:
            shown.page.wait_for_timeout(10)
        shown.hub.labelled(labelled(20))
        shown.page.evaluate(hide, False)
        shown.changed(seen)
        assert int(shown.hub.watchers) == 1
        assert shown.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 400, 1400])
def test_it_is_silent_accessible_and_fits(browser: Any, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    changes: dict[str, Any] = {"counting": COUNTING, "trouble": "the camera gives no frames"}
    hub = Hub("litert cat-dog-mnv2.tflite, HD Pro Webcam C920 at /dev/video0, 640 x 480")
    for number in range(1, KEPT_BEFORE + 1):
        hub.second(second(number, **changes))
    size = {"width": width, "height": 900}
    with opened(browser, TOKEN, hub, viewport=size, color_scheme=scheme) as shown, running(hub, **changes):
        shown.changed(shown.changed(None))
        shown.reads("#label", "cat")
        found = Axe().run(shown.page).response
        assert len(found["passes"]) > 10
        assert [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in found["violations"]] == []
        assert shown.page.evaluate("document.documentElement.scrollWidth") == width
        assert shown.said == []
        home = urlsplit(shown.page.url).netloc
        assert {urlsplit(url).netloc for url in shown.asked if not url.startswith("data:")} == {home}
        assert {urlsplit(url).path for url in shown.asked} >= {"/", "/stream", "/events"}
        cut = shown.page.evaluate(
            "[...document.querySelectorAll('dd, td, li > span, .label')].filter(e => e.scrollWidth > e.clientWidth + 1"
            " && e.clientWidth).map(e => e.textContent)"
        )
        assert cut == []


def test_the_checker_finds_faults_of_the_page(browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser) as shown:
        shown.changed(None)
        shown.page.evaluate("document.getElementById('picture').removeAttribute('alt')")
        assert "image-alt" in {fault["id"] for fault in Axe().run(shown.page).response["violations"]}


@pytest.mark.parametrize(("motion", "moves"), [("reduce", "0s"), ("no-preference", "0.2s")])
def test_reduced_motion_is_respected(browser: Any, motion: str, moves: str) -> None:
    with opened(browser, reduced_motion=motion) as shown:
        shown.reads("#label", "cat")
        bar = shown.page.locator(".bar div").first
        assert bar.evaluate("bar => getComputedStyle(bar).transitionDuration") == moves


def test_without_script_the_page_says_what_is_left(browser: Any) -> None:
    hub = Hub()
    with serve(hub, "127.0.0.1", 0, None) as url:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(url)
        assert "need JavaScript" in page.locator("noscript").inner_text()
        context.close()


def _state(**changes: Any) -> Any:
    return msgspec.structs.replace(second(1).state, **changes)
