"""Move everything in a lab as a learner would, and see whether its picture follows."""

import sys

CONTROLS = "input, select, button, [role='button'], [role='slider']"


def picture(lab):
    return lab.locator(".ll-stage").inner_html()


def wait_for_change(lab, before, seconds=4):
    """Return whether the picture becomes another than `before`."""
    for _ in range(int(seconds * 20)):
        if picture(lab) != before:
            return True
        lab.page.wait_for_timeout(50)
    return False


def wait_for_rest(lab):
    """Return the picture when it has stopped changing for a while."""
    for _ in range(100):
        before = picture(lab)
        if not wait_for_change(lab, before, 0.3):
            return before
    raise AssertionError("the picture never comes to rest")


def by_keyboard(control, typed):
    """Operate the control with keys alone."""
    kind = control.evaluate("control => control.type || control.tagName.toLowerCase()")
    control.focus()
    # on a Mac the arrow keys open the system's own list, which a page cannot see
    if kind.startswith("select") and sys.platform == "darwin":
        control.select_option(index=1)
    elif kind == "range" or kind.startswith("select"):
        before = control.input_value()
        control.press("ArrowDown")
        if control.input_value() == before:
            control.press("ArrowUp")
    elif kind in ("text", "number"):
        control.press("ControlOrMeta+a")
        control.page.keyboard.type(typed)
        control.press("Enter")
    elif kind == "checkbox":
        control.press("Space")
    else:
        control.press("Enter")


def by_mouse(control, typed):
    """Operate the control with the mouse; a text field and a list are the keyboard's."""
    kind = control.evaluate("control => control.type || control.tagName.toLowerCase()")
    if kind == "range":
        box = control.bounding_box()
        middle = control.evaluate("control => control.value > (+control.min + +control.max) / 2")
        control.click(position={"x": box["width"] * (0.3 if middle else 0.7), "y": box["height"] / 2})
    elif kind in ("text", "number") or kind.startswith("select"):
        by_keyboard(control, typed)
    else:
        control.click()


def name_of(control):
    """Return the control's accessible name."""
    return control.evaluate(
        "control => (control.ariaLabel || [...(control.labels || [])].map(label => label.innerText).join(' ')"
        " || control.innerText || control.textContent).trim()"
    )


def controls_of(lab):
    """Return the controls that can be in use. One that is only greyed for now (aria-disabled) is among them."""
    found = [control for control in lab.locator(CONTROLS).all() if not control.evaluate("control => control.disabled")]
    assert found and all(name_of(control) for control in found), "a control has no name for a screen reader"
    return found


def reached_by_tab(lab):
    """Return the names of the controls that the Tab key reaches, one after the other, from the first."""
    controls = controls_of(lab)
    controls[0].focus()
    names = [name_of(controls[0])]
    for _ in controls[1:] * 2:
        lab.page.keyboard.press("Tab")
        names += [name_of(control) for control in controls if control.evaluate("it => it === document.activeElement")]
    return list(dict.fromkeys(names))


def traps(lab):
    """Return the keys of Tab and Shift+Tab that never lead out of the lab."""
    controls = controls_of(lab)
    inside = "lab => lab.contains(document.activeElement)"
    found = []
    for key, begin in ("Tab", controls[0]), ("Shift+Tab", controls[-1]):
        begin.focus()
        for _ in range(50):
            lab.page.keyboard.press(key)
            if not lab.evaluate(inside):
                break
        else:
            found.append(key)
    return found


def idle_controls(lab, operate, typed, rounds=2):
    """Operate every control in turn, and all once more; return the names of those that never changed the picture.

    Two rounds, because "back" and "reset" can do nothing before something else was done.
    """
    controls = controls_of(lab)
    idle = list(range(len(controls)))
    for place in idle * rounds:
        control = controls[place]
        if place not in idle or control.is_disabled():
            continue
        # what the focus alone changes does not count
        control.focus()
        before = wait_for_rest(lab)
        label = control.inner_text()
        operate(control, typed)
        if wait_for_change(lab, before):
            idle.remove(place)
        # what plays by itself is stopped again
        if control.inner_text() != label:
            operate(control, typed)
    return [name_of(controls[place]) for place in idle]


# from the key to the pixels: until the message that follows the frame in which the new drawing was shown
WATCH = """lab => {
    const times = lab.times = [];
    let pressed = null;
    lab.addEventListener('keydown', event => { pressed = event.timeStamp; }, true);
    const drawn = new MutationObserver(() => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => {
            if (pressed !== null) times.push(performance.now() - pressed);
            pressed = null;
        };
        channel.port2.postMessage(null);
    }));
    drawn.observe(lab, {attributes: true, attributeFilter: ['data-draws']});
}"""


def slider_to_pixels(lab, moves=40):
    """Return the milliseconds from each move of the lab's first slider to its new picture on the screen."""
    slider = lab.locator("input[type=range]").first
    slider.click()
    wait_for_rest(lab)
    lab.evaluate(WATCH)
    key, other = "ArrowRight", "ArrowLeft"
    for move in range(moves):
        before = slider.input_value()
        slider.press(key)
        if slider.input_value() == before:
            key, other = other, key
            slider.press(key)
        arrived = "([lab, count]) => lab.times.length > count"
        lab.page.wait_for_function(arrived, arg=[lab.element_handle(), move], timeout=5000)
    return lab.evaluate("lab => lab.times")


# an hour at a lab: at each move some control, and something that can be done with it; at the end what plays is stopped
MANY_MOVES = """async ([moves, seed, typed]) => {
    const lab = document.querySelector('.ll-lab');
    const below = n => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return Math.floor(seed / 2 ** 32 * n);
    };
    const one = list => list[below(list.length)];
    const tell = (control, ...events) =>
        events.forEach(name => control.dispatchEvent(new Event(name, {bubbles: true})));
    const keys = 'ArrowUp ArrowDown ArrowLeft ArrowRight Home End PageUp PageDown Enter + - a'.split(' ');
    for (let move = 0; move < moves; move++) {
        const controls = [...lab.querySelectorAll('input, select, button, [tabindex="0"]')];
        const control = one(controls.filter(it => !it.disabled));
        const kind = control.type || 'keys';
        control.focus();
        if (kind === 'range') {
            control.value = Number(control.min) + below(101) / 100 * (control.max - control.min);
            tell(control, 'input', 'change');
        } else if (kind === 'select-one') {
            one([...control.options].filter(it => !it.disabled)).selected = true;
            tell(control, 'input', 'change');
        } else if (kind === 'text' || kind === 'number') {
            control.value = one(typed.filter(text => kind === 'text' || Number.isFinite(parseFloat(text))));
            tell(control, 'input', 'change');
        } else if (kind === 'keys') {
            control.dispatchEvent(new KeyboardEvent('keydown', {key: one(keys), bubbles: true, cancelable: true}));
        } else control.click();
        await new Promise(requestAnimationFrame);
    }
    for (const button of lab.querySelectorAll('button')) if (/^(Pause|Stop)$/.test(button.textContent)) button.click();
}"""
