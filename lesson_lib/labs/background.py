"""What labs share that train in the background, while the kernel goes on answering.

Everything happens on the thread and in the event loop of the cell that made the lab, in one task that hands over
after every piece of work. So a cell always finds what is trained between two pieces, and a step is never half done.
"""

import asyncio
import itertools
import signal
import threading
import time
import weakref

from traitlets import Bool, Int, TraitError, observe, validate

from lesson_lib.labs.base import Lab, describe, whole_number

TICK = 0.1  # seconds from one message to the page to the next
READING = 1.0  # seconds from one sentence to the next
TURNS = 8  # of the event loop after each piece of work


class BackgroundLab(Lab):
    """The base of the labs that train.

    running: whether it trains; the page and Python both may set it.
    steps, resets: the page counts these up, to ask for a step or for a reset.

    A subclass calls `_find_loop()` before anything else, and writes

        _step(): a generator that does one step, in pieces that are short; it yields after each;
        _look(): a generator of what else there is to do: it is gone through after each step, and at rest once after
            each change. Both are dropped where they stand, after a yield, when something is changed meanwhile;
        _done(): how many steps are done;
        _state(), _words(): the first tells the page how things stand, the second says it;
        _restart(): goes back to the beginning.
    """

    running = Bool(False).tag(sync=True)
    steps = Int(0).tag(sync=True)
    resets = Int(0).tag(sync=True)

    _task = None
    _interrupted = _stale = False
    _note = ""  # what comes before the sentence
    _shown = _showing = 0.0  # when the page was last told, and how long that took
    _said = -READING

    def _find_loop(self):
        self._thread = threading.get_ident()
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # no notebook: only run() trains

    # -- what Python and the page ask for -------------------------------------------------------------------

    def run(self, n):
        """Train n steps now. An interrupt stops it between two steps, and is raised; the lab can go on after it.

        Raises FloatingPointError, with the step and the likely cause, where the loss is no longer a finite number.
        """
        n = whole_number("n", n)
        if n < 1:
            raise ValueError(f"run(n) does n steps, at least 1, and not {n}")
        self._begin()
        try:
            for _ in range(n):
                for _ in whole(self._step()):
                    self._tell()
        except KeyboardInterrupt:
            self._stopped()
            raise
        except Exception as error:
            self._failed(error)
            raise
        finally:
            self._changed()

    def step(self):
        """Train one step."""
        self.run(1)

    def start(self):
        """Train in the background until pause(); the kernel goes on answering.

        Raises TraitError outside a notebook.
        """
        self.running = True

    def pause(self):
        """Stop after the step that is at work."""
        self.running = False

    def reset(self):
        """Go back to the parameters at the beginning, and to step 0."""
        self._note = self.problem = ""
        self._restart()
        self._changed()

    def close(self):
        """Stop training, and take the lab off the page."""
        self.running = False
        super().close()

    def set_state(self, sync_data):
        # JupyterLab has what comes from the page handled on a thread of its own, amid a step
        if threading.get_ident() == self._thread or self._loop is None:
            self._take_over(sync_data)
        else:
            self._loop.call_soon_threadsafe(self._take_over, sync_data)

    def _take_over(self, sync_data):
        super().set_state(sync_data)

    @validate("running")
    def _check_running(self, proposal):
        if proposal["value"] and self._loop is None:
            raise TraitError("there is no notebook here in which to train in the background: use run(n)")
        return proposal["value"]

    @observe("running")
    def _turn(self, change):
        if self.running:
            self._begin()
        self._changed()

    @observe("steps")
    def _step_from_page(self, change):
        self.running = False
        try:
            self.run(1)
        except FloatingPointError:
            pass  # the lab shows it as its problem

    @observe("resets")
    def _reset_from_page(self, change):
        self.running = False
        self.reset()

    # -- the work -------------------------------------------------------------------------------------------

    def _begin(self):
        self.problem = self._note = ""
        self._interrupted = False

    def _failed(self, error):
        self.running = False
        self.problem = str(error) if isinstance(error, FloatingPointError) else describe(error)

    def _stopped(self):
        self.running = False
        self._note = f"Interrupted after step {self._done()}: no step is half done, and you can go on."

    def _busy(self):
        """Whether there is anything that an interrupt would stop."""
        return self.running

    def _changed(self):
        """See to it that the picture follows, or that the training goes on, in the background."""
        self._stale = True
        if self._loop is None:
            asyncio.run(self._work())
        elif self._task is None or self._task.done():
            self._task = self._loop.create_task(self._work())

    async def _work(self):
        _working.add(self)
        try:
            while self.running or self._stale or (self._interrupted and self._busy()):
                _listen()
                handed_over = False
                try:
                    if self._interrupted and self._busy():
                        self._stopped()
                    self._interrupted = self._stale = False
                    for _ in whole(itertools.chain(self._step() if self.running else (), self._look())):
                        await others()
                        handed_over = True
                        if self._stale or self._interrupted:
                            break  # what is trained was changed meanwhile
                except KeyboardInterrupt:
                    self._stopped()  # raised again, it would end the kernel
                except Exception as error:
                    self._failed(error)
                self._tell(at_once=not self.running)
                if not handed_over:
                    await others()
        finally:
            _working.discard(self)

    # -- what is shown ------------------------------------------------------------------------------------

    def _tell(self, at_once=False):
        """Tell the page how things stand, unless that was done a moment ago. It takes a tenth of the time at most."""
        began = time.monotonic()
        if at_once or began > self._shown + max(TICK, 9 * self._showing):
            self._show()
            self._shown = time.monotonic()
            self._showing = self._shown - began

    def _show(self):
        self._state()
        # a sentence that changes all the time cannot be read
        if not self.running or time.monotonic() > self._said + READING:
            self._said = time.monotonic()
            self.sentence = self._sentence()

    def _sentence(self):
        return f"{self._note} {self._words()}" if self._note else self._words()


async def others():
    """Let the kernel answer: a message on its way to a cell, and back, needs several turns of the event loop."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


# -- interrupts ---------------------------------------------------------------------------------------------

_working = weakref.WeakSet()


def _listen():
    # a kernel ignores interrupts between the cells, which is when the background trains
    here = threading.current_thread() is threading.main_thread()
    if here and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number, frame):
    # raising here could stop the kernel itself
    for lab in _working:
        lab._interrupted = True


def whole(pieces):
    """Go through the pieces, a generator, and let an interrupt wait until the piece that is at work is done.

    Only a second one, for a piece that does not end, breaks it off.
    """
    pieces = iter(pieces)
    with_signals = threading.current_thread() is threading.main_thread()
    more = True
    while more:
        came = []

        def later(number, frame, came=came):
            if came:
                raise KeyboardInterrupt
            came.append(number)

        before = signal.signal(signal.SIGINT, later) if with_signals else None
        try:
            more = next(pieces, _no_more) is not _no_more
        finally:
            if with_signals:
                signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
        if more:
            yield


_no_more = object()
