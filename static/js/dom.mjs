// @ts-check
/** Finding and making elements. */

/**
 * The element with this id; a page without it is a page of another version.
 * @template {Element} E @param {string} id @param {new (...args: any[]) => E} kind @returns {E}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, string | number>} [data] data-* attributes, by their camelCase names
 * @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, data = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(data)) element.dataset[name] = String(value);
  element.append(...children);
  return element;
}

/** An icon of icons.svg. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}
