// Emitter calls back who asked for an event by name.

/** @template {object} Events name → what its listeners are given */
export class Emitter {
  /** @type {Map<keyof Events, Set<(value: any) => void>>} */
  #listeners = new Map();

  /**
   * Calls fn at each event of this name; returns how to stop that.
   * @template {keyof Events} K
   * @param {K} name
   * @param {(value: Events[K]) => void} fn
   * @returns {() => void}
   */
  on(name, fn) {
    let set = this.#listeners.get(name);
    if (!set) this.#listeners.set(name, (set = new Set()));
    set.add(fn);
    return () => set.delete(fn);
  }

  /**
   * @protected
   * @template {keyof Events} K
   * @param {K} name
   * @param {Events[K]} value
   */
  emit(name, value) {
    const set = this.#listeners.get(name);
    if (set) for (const fn of set) fn(value);
  }
}
