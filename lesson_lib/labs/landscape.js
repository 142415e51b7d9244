// Landscapes to walk down, and the way down by gradient descent: what landscape.py has, for the page. Then what only the
// page needs of a landscape: its minima and its contour lines.

const SEEN = { low: -3, high: 3, bottom: -2, top: 2 }; // what the picture shows, of every landscape

// -- the landscapes: f(x, y) gives the loss and its derivatives with respect to x and y -----------------

// `decades` is what the loss plot shows, as powers of 10; `bends` are a bowl's second derivatives, across and along it
const LANDSCAPES = {
  bowl: {
    title: "Loss: a bowl", formula: "x² + y²", decades: [-8, 4], bends: [2, 2],
    f: (x, y) => [x * x + y * y, 2 * x, 2 * y],
  },
  "narrow valley": {
    title: "Loss: a narrow valley", formula: "0.02 x² + y²", decades: [-8, 4], bends: [2, 0.04],
    f: (x, y) => [0.02 * x * x + y * y, 0.04 * x, 2 * y],
  },
  "two minima": {
    title: "Loss: two minima", formula: "0.075 x⁴ + 0.05 x³ − 0.45 x² + 0.5 y² + 1.1", decades: [-1.4, 2],
    f: (x, y) => [
      0.075 * x * x * x * x + 0.05 * x * x * x - 0.45 * x * x + 0.5 * y * y + 1.1,
      0.3 * x * (x + 2) * (x - 1.5),
      y,
    ],
  },
  network: {
    title: "Loss: a real network", formula: "for a weight x and a bias y of one neuron", decades: [-2, 1],
    note: "A slice through the loss of MLP(1, [4, 1]), trained on wave(20): one hidden neuron's weight and bias move, " +
      "the other 11 parameters stay. ",
  },
};

// a landscape between given losses, as `Slice` in landscape.py: outside of the picture there is none
function slice({ rows, gap }) {
  return (x, y) => {
    if (!(x >= SEEN.low && x <= SEEN.high && y >= SEEN.bottom && y <= SEEN.top)) return [NaN, NaN, NaN];
    const [i, wx, dx] = cubic((x - SEEN.low) / gap, rows[0].length);
    const [j, wy, dy] = cubic((y - SEEN.bottom) / gap, rows.length);
    let [loss, slopeX, slopeY] = [0, 0, 0];
    for (let k = 0; k < 4; k++) {
      let [across, slope] = [0, 0];
      for (let l = 0; l < 4; l++) {
        across += wx[l] * rows[j + k][i + l];
        slope += dx[l] * rows[j + k][i + l];
      }
      loss += wy[k] * across;
      slopeX += wy[k] * slope;
      slopeY += dy[k] * across;
    }
    return [loss, slopeX / gap, slopeY / gap];
  };
}

function cubic(place, n) {
  const i = Math.min(Math.floor(place), n - 4);
  const t = place - i;
  return [
    i,
    [
      (-t + 2 * t * t - t * t * t) / 2,
      (2 - 5 * t * t + 3 * t * t * t) / 2,
      (t + 4 * t * t - 3 * t * t * t) / 2,
      (t * t * t - t * t) / 2,
    ],
    [(-1 + 4 * t - 3 * t * t) / 2, (9 * t * t - 10 * t) / 2, (1 + 8 * t - 9 * t * t) / 2, (3 * t * t - 2 * t) / 2],
  ];
}

// -- the way down -----------------------------------------------------------------------------------

// the learning rate of a step, counted from 0, as the schedules of lesson_lib.descent
function rateAt(step, { rate, decay, steps }) {
  if (decay === "step") return rate * 0.5 ** Math.floor(step / Math.max(1, Math.floor(steps / 5)));
  if (decay === "linear") return rate * (1 - step / steps);
  if (decay === "cosine") return (rate * (1 + Math.cos((Math.PI * step) / steps))) / 2;
  return rate;
}

// the places on the way, each { x, y, loss, slope }; it ends early where the loss is no finite number
function walk(f, settings) {
  let { x, y } = settings;
  let [vx, vy] = [0, 0];
  let [loss, dx, dy] = f(x, y);
  const places = [{ x, y, loss, slope: Math.hypot(dx, dy) }];
  for (let step = 0; step < settings.steps && Number.isFinite(loss); step++) {
    const rate = rateAt(step, settings);
    vx = settings.momentum * vx + dx;
    vy = settings.momentum * vy + dy;
    x -= rate * vx;
    y -= rate * vy;
    [loss, dx, dy] = f(x, y);
    places.push({ x, y, loss, slope: Math.hypot(dx, dy) });
  }
  return places;
}

// -- the lie of the land, once for each landscape ------------------------------------------------------

const [COLUMNS, ROWS] = [97, 65];
const column = (i) => SEEN.low + ((SEEN.high - SEEN.low) * i) / (COLUMNS - 1);
const row = (j) => SEEN.bottom + ((SEEN.top - SEEN.bottom) * j) / (ROWS - 1);
const BANDS = 14;

function survey(f) {
  const heights = Array.from({ length: ROWS }, (_, j) => Array.from({ length: COLUMNS }, (_, i) => f(column(i), row(j))[0]));
  const all = heights.flat();
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
  // lines at these heights are equally far apart on a bowl
  const levels = Array.from({ length: BANDS - 1 }, (_, k) => low + (high - low) * ((k + 1) / BANDS) ** 2);
  const minima = [];
  for (let j = 1; j < ROWS - 1; j++) {
    for (let i = 1; i < COLUMNS - 1; i++) {
      const around = [-1, 0, 1].flatMap((dj) => [-1, 0, 1].map((di) => heights[j + dj][i + di]));
      if (around.every((height) => height >= heights[j][i])) minima.push(refine(f, column(i), row(j)));
    }
  }
  minima.sort((a, b) => a.loss - b.loss);
  const line = (level) => contour((i, j) => heights[j][i], COLUMNS, ROWS, level, (i, j) => `${+i.toFixed(2)} ${+j.toFixed(2)}`);
  return { f, heights, low, high, levels, minima, contours: levels.map(line).join("") };
}

// from a place near a minimum to the minimum, by Newton's method; `bend` is the largest second derivative there
function refine(f, x, y) {
  for (let round = 0; round < 20; round++) {
    const [, dx, dy] = f(x, y);
    const [xx, xy, yy] = seconds(f, x, y);
    const area = xx * yy - xy * xy;
    const [stepX, stepY] = [(yy * dx - xy * dy) / area, (xx * dy - xy * dx) / area];
    if (!(Math.hypot(stepX, stepY) < 0.1)) break;
    [x, y] = [x - stepX, y - stepY];
  }
  return { x, y, loss: f(x, y)[0], bend: principal(f, x, y)[0] };
}

function seconds(f, x, y) {
  const h = 1e-4;
  const [right, left, up, down] = [f(x + h, y), f(x - h, y), f(x, y + h), f(x, y - h)];
  return [(right[1] - left[1]) / (2 * h), (right[2] - left[2] + up[1] - down[1]) / (4 * h), (up[2] - down[2]) / (2 * h)];
}

// the second derivatives along the steepest and along the flattest direction
function principal(f, x, y) {
  const [xx, xy, yy] = seconds(f, x, y);
  const [middle, apart] = [(xx + yy) / 2, Math.hypot((xx - yy) / 2, xy)];
  return [middle + apart, middle - apart];
}
