// The model's forward pass in the page: the steps that attention_model.py read, on arrays of numbers. Nothing is drawn here.
// x is one array of the T rows of C numbers, one row after the other.

// numbers that came as base64 of float32, little end first
function decode(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  const numbers = new Float32Array(bytes.length / 4);
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat32(4 * i, true);
  return numbers;
}

// Every row of x times the matrix. Most of the time goes into fetching numbers, so each that is fetched is used several
// times: four rows of x go with two of the matrix at once. A row that is left or alone goes with four.
function linear({ at, bias, out, in: size }, numbers, x) {
  const T = x.length / size;
  const y = new Float64Array(T * out);
  const even = out - (out % 2);
  let t = 0;
  for (; t + 4 <= T; t += 4) {
    const [x0, x1, x2, x3] = [t * size, (t + 1) * size, (t + 2) * size, (t + 3) * size];
    for (let o = 0; o < even; o += 2) {
      const w0 = at + o * size;
      const w1 = w0 + size;
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      for (let c = 0; c < size; c++) {
        const a = numbers[w0 + c], b = numbers[w1 + c];
        const c0 = x[x0 + c], c1 = x[x1 + c], c2 = x[x2 + c], c3 = x[x3 + c];
        a0 += a * c0; a1 += a * c1; a2 += a * c2; a3 += a * c3;
        b0 += b * c0; b1 += b * c1; b2 += b * c2; b3 += b * c3;
      }
      const k = t * out + o;
      y[k] = a0; y[k + out] = a1; y[k + 2 * out] = a2; y[k + 3 * out] = a3;
      y[k + 1] = b0; y[k + 1 + out] = b1; y[k + 1 + 2 * out] = b2; y[k + 1 + 3 * out] = b3;
    }
    for (let row = t; even < out && row < t + 4; row++) y[row * out + even] = dot(numbers, at + even * size, x, row * size, size);
  }
  for (; t < T; t++) {
    let o = 0;
    for (; o + 4 <= out; o += 4) {
      const w = at + o * size;
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0;
      for (let c = 0; c < size; c++) {
        const value = x[t * size + c];
        a0 += value * numbers[w + c];
        a1 += value * numbers[w + size + c];
        a2 += value * numbers[w + 2 * size + c];
        a3 += value * numbers[w + 3 * size + c];
      }
      const k = t * out + o;
      y[k] = a0; y[k + 1] = a1; y[k + 2] = a2; y[k + 3] = a3;
    }
    for (; o < out; o++) y[t * out + o] = dot(numbers, at + o * size, x, t * size, size);
  }
  if (bias !== null) for (let k = 0; k < y.length; k++) y[k] += numbers[bias + (k % out)];
  return y;
}

function dot(a, i, b, k, size) {
  let sum = 0;
  for (let c = 0; c < size; c++) sum += a[i + c] * b[k + c];
  return sum;
}

function normalize({ gain, bias, size, eps }, numbers, x) {
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += size) {
    let mean = 0, variance = 0;
    for (let c = 0; c < size; c++) mean += x[start + c] / size;
    for (let c = 0; c < size; c++) variance += (x[start + c] - mean) ** 2 / size;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let c = 0; c < size; c++) y[start + c] = numbers[gain + c] * (x[start + c] - mean) * scale + numbers[bias + c];
  }
  return y;
}

// One attention: its output, and for each head a row of weights for each token that listens. `past` has the keys and
// values of the `before` tokens that came earlier, and gets those of x. From the row `from` of x on, the tokens listen.
function attend(step, numbers, x, { mask, divide }, past, before, from) {
  const [K, V, H] = [step.key.out, step.value.out, step.heads];
  const [hs, hv] = [K / H, V / H];
  const T = x.length / step.key.in;
  const { k, v } = past;
  k.set(linear(step.key, numbers, x), before * K);
  v.set(linear(step.value, numbers, x), before * V);
  const q = linear(step.query, numbers, x.subarray(from * step.query.in));
  const scale = divide ? 1 / Math.sqrt(hs) : 1;
  const out = new Float64Array((T - from) * V);
  const maps = range(H).map((h) => range(T - from).map((t) => {
    const heard = mask ? before + from + t + 1 : before + T; // none but these is in the softmax
    const scores = new Float64Array(heard);
    for (let i = 0; i < heard; i++) {
      scores[i] = scale * dot(q, t * K + h * hs, k, i * K + h * hs, hs);
    }
    const weights = new Float64Array(before + T);
    weights.set(shares(scores));
    const a = t * V + h * hv;
    for (let i = 0; i < heard; i++) {
      const b = i * V + h * hv;
      for (let c = 0; c < hv; c++) out[a + c] += weights[i] * v[b + c];
    }
    return weights;
  }));
  return { maps, out: step.proj ? linear(step.proj, numbers, out) : out };
}

// What the model makes of token numbers: for each attention the maps of its heads, and for each token the logits and the
// chances of the next one. With a cache, at first { length: 0, layers: [] }, the tokens are those that come after the
// tokens in there (only with a mask). `last`: for the last token alone, which spares the last layer most of its work.
function runModel(program, numbers, ids, switches, { cache = { length: 0, layers: [] }, last = false } = {}) {
  const { width: C, room, tokens, positions } = program;
  const before = cache.length;
  let x = new Float64Array(ids.length * C);
  ids.forEach((id, t) => {
    for (let c = 0; c < C; c++) x[t * C + c] = numbers[tokens + id * C + c] + numbers[positions + (before + t) * C + c];
  });
  const attentions = program.heads.length;
  let kept = [];
  const maps = [];
  for (const step of program.steps) {
    if (step.do === "linear") x = linear(step, numbers, x);
    else if (step.do === "relu") x = x.map((value) => Math.max(0, value));
    else if (step.do === "norm") x = normalize(step, numbers, x);
    else if (step.do === "remember") kept.push(x);
    else if (step.do === "add") {
      const other = kept.pop();
      x = x.map((value, i) => value + other[i]);
    } else {
      const alone = last && maps.length === attentions - 1; // then nobody else is listened to
      if (alone) kept = kept.map((one) => one.subarray(one.length - one.length / ids.length));
      const past = cache.layers[maps.length] ??= {
        k: new Float64Array(room * step.key.out), v: new Float64Array(room * step.value.out) };
      const found = attend(step, numbers, x, switches, past, before, alone ? ids.length - 1 : 0);
      maps.push(found.maps);
      x = found.out;
    }
  }
  cache.length += ids.length;
  const { out: V } = program.last;
  const y = linear(program.last, numbers, x);
  const logits = range(y.length / V).map((t) => y.subarray(t * V, (t + 1) * V));
  return { maps, logits, next: logits.map(shares) };
}

// what everybody would get from the average of the past, or without the mask of the whole text
const average = (T, mask) => range(T).map((t) => range(T).map((i) => (!mask ? 1 / T : i <= t ? 1 / (t + 1) : 0)));
