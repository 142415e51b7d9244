// A stand-in for the widget's model, for a page without Python: it holds the traits, and calls back when one changes.
function standIn(traits) {
  const callbacks = {};
  return {
    get: (name) => traits[name],
    set(name, value) {
      if (JSON.stringify(traits[name]) === JSON.stringify(value)) return;
      traits[name] = value;
      for (const callback of callbacks[`change:${name}`] ?? []) callback();
    },
    save_changes() {}, // there is nobody to tell
    on: (event, callback) => (callbacks[event] ??= []).push(callback),
    off: (event, callback) => { callbacks[event] = (callbacks[event] ?? []).filter((one) => one !== callback); },
  };
}
