import { tinykeys } from "tinykeys";

/**
 * Keys and foot pedals (which send keys). Letters typed into a field stay there; arrows may be held down.
 *
 * @typedef {{action: string, presses: string[], shown: string, label: string, repeats: boolean}} Binding
 */

/**
 * @param {Binding[]} bindings
 * @param {(action: string) => void} act
 * @returns {() => void} takes the bindings away
 */
export function listen(bindings, act) {
  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const map = {};
  for (const { action, presses, repeats } of bindings) {
    for (const press of presses) {
      map[press] = (event) => {
        event.preventDefault();
        if (repeats || !event.repeat) act(action);
      };
    }
  }
  return tinykeys(window, map, { ignore: elsewhere });
}

/** Whether a key is meant for something else than the page. @param {KeyboardEvent} event */
function elsewhere(event) {
  if (event.isComposing) return true;
  const target = /** @type {Element} */ (event.target instanceof Element ? event.target : document.body);
  if (target.closest("input:not([type=checkbox]),textarea,select,[contenteditable],dialog")) return true;
  // A focused button or link keeps Space and Enter, which press it; every other key works from anywhere.
  return (event.key === " " || event.key === "Enter") && target.closest("button,a,summary,input") !== null;
}
