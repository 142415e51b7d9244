"""A lab's own JavaScript in a browser, with the stand-in for the widget's model: no kernel, no JupyterLab."""

import json

import pytest

from lesson_lib.labs.base import HERE

STAND_IN = (HERE / "stand_in.js").read_text(encoding="utf-8")

SHOW = (
    f"""async ([code, css, traits]) => {{
    {STAND_IN}"""
    + """
    document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
    const { default: lab } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    window.sent = [];
    const model = window.model = { ...standIn(traits), save_changes: () => window.sent.push({ ...traits }) };
    window.show = () => lab.render({ model, el: document.body });
    window.dispose = window.show();
}"""
)


TIMES = """async () => {
    const frames = [];
    const original = requestAnimationFrame;
    let made = 0;
    const count = (records) => {
        for (const { addedNodes } of records) made += [...addedNodes].filter((node) => node.nodeType === 1).length;
    };
    const observer = new MutationObserver(count);
    observer.observe(document.querySelector(".ll-stage"), { childList: true, subtree: true });
    window.requestAnimationFrame = (paint) => original(() => {
        const start = performance.now();
        paint();
        frames.push(performance.now() - start);
    });
    for (let n = 0; n < MOVES; n++) {
        MOVE
        await new Promise((done) => original(() => original(done)));
    }
    window.requestAnimationFrame = original;
    count(observer.takeRecords());
    observer.disconnect();
    return [frames.sort((a, b) => a - b), made];
}"""


class LabPage:
    """A lab in a page of its own. A subclass names its `traits`, and adds what its tests ask for."""

    traits = ()
    moved = ()  # of these, what the page changes
    height = 900

    def __init__(self, browser, lab, width=1000):
        self.lab, self.errors = lab, []
        self.page = browser.new_page(viewport={"width": width, "height": self.height})
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.route("**/*", lambda route: route.abort())
        self.page.evaluate(SHOW, [lab._esm, lab._css, self.state(lab)])
        self.drawn()

    def state(self, lab):
        # what goes to a page goes as JSON
        return json.loads(json.dumps({name: getattr(lab, name) for name in self.traits}, allow_nan=False))

    def hear(self):
        """Let Python take over what was changed in the page."""
        now = self.page.evaluate("names => names.map(name => model.get(name))", list(self.moved))
        self.lab.set_state(dict(zip(self.moved, now)))
        assert self.lab.problem == ""
        return self.lab

    def drawn(self):
        # a drawing comes with the next frame
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def set(self, **traits):
        """Change traits, as Python would."""
        self.page.evaluate("traits => Object.entries(traits).forEach(pair => window.model.set(...pair))", traits)
        self.drawn()
        return self

    def get(self, name):
        return self.page.evaluate("name => model.get(name)", name)

    def keys(self, *keys):
        """Press keys, one after the other, where the focus is."""
        for key in keys:
            self.page.keyboard.press(key)
            self.drawn()

    def press(self, name, times=1, key="Enter", role="button"):
        control = self.page.get_by_role(role, name=name, exact=True)
        control.focus()
        for _ in range(times):
            control.press(key)
            self.drawn()

    def drawing_times(self, moves, move):
        """Return how many milliseconds each drawing took, sorted; `move` is JavaScript that changes `model`, by `n`.

        `made` is then how many elements of the picture were made anew meanwhile, and not only moved.
        """
        code = TIMES.replace("MOVES", str(moves)).replace("MOVE", move)
        took, self.made = self.page.evaluate(code)
        print(f"median {took[len(took) // 2]:.1f} ms, p95 {took[int(0.95 * len(took))]:.1f} ms")
        return took

    def dispose(self):
        """Take the lab off the page, and put what was there back: it must not do anything any longer."""
        lab = self.page.locator(".ll-lab").element_handle()
        self.page.evaluate("lab => { dispose(); document.body.append(lab); }", lab)

    def texts(self, css):
        return [text.strip() for text in self.page.locator(css).all_text_contents()]

    def say(self):
        return self.page.locator(".ll-sentence").inner_text()

    def close(self):
        assert self.errors == []
        self.page.close()


class BackgroundPage(LabPage):
    """The page of a lab that trains in Python."""

    def state(self, lab):
        # the browser's own event loop runs in this process, and the lab took it for a notebook's
        while lab._task and not lab._task.done():
            self.page.wait_for_timeout(20)
        return super().state(lab)

    def tell(self, lab):
        """Let the page know how the lab stands."""
        self.set(**self.state(lab))

    def sent(self):
        """Return what was sent to Python last."""
        return self.page.evaluate("() => window.sent.at(-1)")


def overlap(a, b, lower=3, narrower=1):
    """Whether two boxes overlap by more pixels than `narrower` and `lower`: a line box is larger than its letters."""
    across = a["left"] + narrower < b["right"] and b["left"] + narrower < a["right"]
    return across and a["top"] + lower < b["bottom"] and b["top"] + lower < a["bottom"]


def shows(kind):
    """Return a fixture that opens labs in pages of this kind, and sees at the end that none had an error."""

    @pytest.fixture
    def show(browser):
        pages = []

        def open_page(*what, **options):
            pages.append(kind(browser, *what, **options))
            return pages[-1]

        yield open_page
        for page in pages:
            page.close()

    return show
