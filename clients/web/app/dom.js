// Names come from other players: they get into the page as text only, never as markup.

/**
 * The element with this id.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const e = document.getElementById(id);
  if (!e) throw new Error('no element ' + id);
  return /** @type {T} */ (e);
}

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {string} [text]
 * @param {string} [color] becomes --c
 */
export function make(tag, className = '', text = '', color = '') {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text) e.textContent = text;
  if (color) e.style.setProperty('--c', color);
  return e;
}

/**
 * Plays an element's animation from the start.
 * @param {HTMLElement} e
 */
export function replay(e) {
  e.classList.remove('on');
  void e.offsetWidth;
  e.classList.add('on');
}

/**
 * Minutes and seconds.
 * @param {number} seconds
 */
export function clockText(seconds) {
  const s = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}
