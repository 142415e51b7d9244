"""The training lab: a language model learns to write before your eyes, while the kernel goes on answering."""

from traitlets import Bool, Dict, Int, List, TraitError, Unicode, observe, validate

from lesson_lib.labs import training_view as view
from lesson_lib.labs.background import BackgroundLab
from lesson_lib.labs.base import HERE, script, style

SHOWN = 12  # samples, at most


class Training(BackgroundLab):
    """The widget behind `labs.training`.

    model, history: what is trained, and its losses so far.
    running, prompt, log_scale: the controls; the page and Python both may set them.
    steps, stops, resets, writes: the page counts these up, to ask for a step, the end, a reset, a sample.
    scene: what stays: how many steps there will be, the learning rate of each, what a guess costs.
    now: what changes: the step, the curve of losses, the evaluations, the speed.
    samples: what the model has written, the newest first.
    """

    _esm = script("plot.js", "numbers.js", "training_view.js", "training.js")
    _css = style() + (HERE / "training.css").read_text(encoding="utf-8")

    title = Unicode("A model learns to write").tag(sync=True)
    prompt = Unicode().tag(sync=True)
    log_scale = Bool(False).tag(sync=True)
    stops = Int(0).tag(sync=True)
    writes = Int(0).tag(sync=True)
    scene = Dict().tag(sync=True)
    now = Dict().tag(sync=True)
    samples = List().tag(sync=True)

    _run = None
    _wishes = ()  # what is to be done at rest: "step", "end", "sample"
    _ended = _broken = False  # whether it was stopped, and not only paused; whether something went wrong

    def __init__(self, run, prompt):
        self._find_loop()
        self._run = run
        super().__init__(prompt=prompt)
        self.scene = view.scene(run)
        self._show()

    @property
    def model(self):
        return self._run.model

    @property
    def history(self):
        return self._run.run.history

    # -- what is asked for ------------------------------------------------------------------------------------

    def stop(self):
        """End the run here: both losses are measured, and with a folder a checkpoint is left. It can be resumed."""
        self._wish("end")

    def sample(self):
        """Write a sample now."""
        self._wish("sample")

    def _wish(self, what):
        if what == "sample":
            self._interrupted = False
        else:
            self.running = False
            self._begin()
        if what not in self._wishes:
            self._wishes = (*self._wishes, what)
        self._changed()

    @observe("stops")
    def _stop_from_page(self, change):
        self.stop()

    @observe("writes")
    def _write_from_page(self, change):
        self.sample()

    @observe("steps")
    def _step_from_page(self, change):
        self._wish("step")  # in pieces: an evaluation and a sample can be due

    @validate("prompt")
    def _check_prompt(self, proposal):
        prompt = proposal["value"]
        if not prompt:
            raise TraitError("the prompt is empty: the model needs at least 1 character to go on from, such as ⏎")
        try:
            self._run.tokenizer.encode(prompt)
        except (ValueError, KeyError) as error:
            raise TraitError(f"the prompt cannot be read, so the one before stays: {error}") from None
        return prompt

    def _take_over(self, sync_data):
        super()._take_over(sync_data)
        if sync_data.get("prompt", self.prompt) != self.prompt:
            self.send_state("prompt")  # the page has the one that was refused

    # -- the work ---------------------------------------------------------------------------------------------

    def _begin(self):
        super()._begin()
        self._ended = self._broken = False
        self._run.begin()

    def _done(self):
        return self._run.done

    def _step(self):
        return self._run.step(self.prompt)

    def _look(self):
        if self.running and self._run.finished:
            self.running = False
        while self._wishes:
            yield from self._fulfil(self._wishes[0])
            self._wishes = self._wishes[1:]

    def _fulfil(self, wish):
        if wish == "step":
            yield from self._run.step(self.prompt)
        elif wish == "sample":
            yield from self._telling(self._run.write(self.prompt))
        else:
            yield from self._run.evaluate()
            self._ended = True

    def _telling(self, pieces):
        """Let the page follow."""
        for _ in pieces:
            self._tell()
            yield

    def _busy(self):
        return self.running or bool(self._wishes)

    def _stopped(self):
        self._wishes = ()
        super()._stopped()

    def _failed(self, error):
        self._wishes, self._broken = (), True
        super()._failed(error)

    def _restart(self):
        self._wishes, self._ended, self._broken = (), False, False
        self._note = self._run.reset()

    # -- what is shown ----------------------------------------------------------------------------------------

    def _mood(self):
        """Return in a word how the run stands."""
        run = self._run
        if self.running or self._wishes:
            return "training" if self.running else "working"
        if self._broken:
            return "broken"
        if run.finished:
            return "done"
        if self._ended:
            return "stopped"
        return "paused" if run.done else "ready"

    def _state(self):
        self.now = view.state(self._run, self._mood())
        self.samples = view.samples(self._run)[:SHOWN]

    def _words(self):
        return view.words(self._run, self._mood())

    def still(self):
        """Return the run as it stands, its losses, its learning rate and the newest sample, as a `draw.Picture`."""
        now = view.state(self._run, self._mood())
        alt = f"{self.title}. {self._sentence()}"
        return view.picture(self.scene, now, view.samples(self._run), self.log_scale, alt)


def training(
    model, train_data, validation_data, tokenizer, *, steps=1000, prompt="\n", sample=200, sample_every=None, **options
):
    """Return the training lab: the model learns, step by step, and the kernel goes on answering.

    model: a PyTorch module of the lectures' form, `logits, loss = model(x, y)`. It is this one that is trained. With
        a method `generate(idx, n)` it writes samples.
    train_data, validation_data: one-dimensional tensors of token numbers. tokenizer: with `encode` and `decode`.
    steps: how many there are. prompt: what the samples go on from. sample: how many tokens a sample has.
    sample_every: so many steps are between two samples; without it, about 5 are written on the way.
    options: those of a `lesson_lib.training.Run`. Where they are missing: the model's block_size, batch_size 12,
        AdamW with a learning rate that rises to 5e-3 (or to `learning_rate`) and falls to 0, clip 1, and about 10
        evaluations. With an optimizer of your own the rate is what that says, unless there is a schedule.

    start(), pause() and stop() do what the buttons do, run(n) trains n steps, or as many as are left, and returns,
    reset() goes back to the weights, the optimizer and the dice of the beginning, so that the same numbers come
    again. `history` has the losses so far, in the middle of training too. The lab's dice are its own: what your
    cells throw meanwhile changes nothing.
    Raises TypeError, ValueError or TraitError that says what is wrong with the model, the texts, the prompt or the
    options.
    """
    from lesson_lib.labs.training_run import TrainingRun  # here, because lessons 1 to 5 do without torch

    run = TrainingRun(model, train_data, validation_data, tokenizer, steps, sample, sample_every, options)
    return Training(run, prompt)
