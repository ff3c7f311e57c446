// Preloaded into the checker, never into the server. The checker moves the dates of its requests that are over to "now plus a day", anew
// for each request: a replay would carry another date than the request that it repeats, and be a conflict. With a clock that stands still
// it does not.
const Real = Date;
const start = Real.now();
globalThis.Date = class extends Real {
  constructor(...parts) { parts.length > 0 ? super(...parts) : super(start); }
  static now() { return start; }
};
