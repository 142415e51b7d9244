// The model's forward pass in the page: the steps that attention_model.py read, on arrays of numbers. Nothing is drawn here.
// x is a list of T rows, each an array of C numbers.

// numbers that came as base64 of float32, little end first
function decode(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function linear(matrix, numbers, x) {
  const { at, bias, out, in: size } = matrix;
  return x.map((row) => {
    const y = new Float64Array(out);
    for (let o = 0, k = at; o < out; o++) {
      let sum = bias === null ? 0 : numbers[bias + o];
      for (let c = 0; c < size; c++, k++) sum += numbers[k] * row[c];
      y[o] = sum;
    }
    return y;
  });
}

function normalize({ gain, bias, size, eps }, numbers, row) {
  const mean = add(row) / size;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
  const scale = 1 / Math.sqrt(variance + eps);
  return row.map((value, c) => numbers[gain + c] * (value - mean) * scale + numbers[bias + c]);
}

// one attention: its output, and for each head the T rows of T weights
function attend(step, numbers, x, { mask, divide }) {
  const [q, k, v] = [step.query, step.key, step.value].map((matrix) => linear(matrix, numbers, x));
  const [T, H, hs, hv] = [x.length, step.heads, step.query.out / step.heads, step.value.out / step.heads];
  const scale = divide ? 1 / Math.sqrt(hs) : 1;
  const out = range(T).map(() => new Float64Array(step.value.out));
  const maps = range(H).map((h) => range(T).map((t) => {
    const heard = mask ? t + 1 : T; // none but these is in the softmax
    const scores = new Float64Array(heard);
    for (let i = 0; i < heard; i++) {
      for (let c = h * hs; c < (h + 1) * hs; c++) scores[i] += q[t][c] * k[i][c];
      scores[i] *= scale;
    }
    const weights = new Float64Array(T);
    weights.set(shares(scores));
    for (let i = 0; i < heard; i++) {
      for (let c = h * hv; c < (h + 1) * hv; c++) out[t][c] += weights[i] * v[i][c];
    }
    return weights;
  }));
  return { maps, out: step.proj ? linear(step.proj, numbers, out) : out };
}

// what the model makes of token numbers: for each attention the maps of its heads, and for each token the next one's chances
function runModel(program, numbers, ids, switches) {
  const C = program.width;
  const row = (start, i) => numbers.subarray(start + i * C, start + (i + 1) * C);
  let x = ids.map((id, t) => Float64Array.from(row(program.tokens, id), (value, c) => value + row(program.positions, t)[c]));
  const kept = [];
  const maps = [];
  for (const step of program.steps) {
    if (step.do === "linear") x = linear(step, numbers, x);
    else if (step.do === "relu") x = x.map((one) => one.map((value) => Math.max(0, value)));
    else if (step.do === "norm") x = x.map((one) => normalize(step, numbers, one));
    else if (step.do === "remember") kept.push(x);
    else if (step.do === "add") {
      const before = kept.pop();
      x = x.map((one, t) => one.map((value, c) => value + before[t][c]));
    } else {
      const found = attend(step, numbers, x, switches);
      maps.push(found.maps);
      x = found.out;
    }
  }
  return { maps, next: linear(program.last, numbers, x).map(shares) };
}

// what everybody would get from the average of the past, or without the mask of the whole text
const average = (T, mask) => range(T).map((t) => range(T).map((i) => (!mask ? 1 / T : i <= t ? 1 / (t + 1) : 0)));
