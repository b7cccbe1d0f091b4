// @ts-check
/** The call by keyboard: M mutes, 3 switches between picture and 3D face, Escape interrupts. Enter sends by itself, for the text box is in a form. */

/** @param {{mute: () => void, interrupt: () => void, front: () => void}} actions @param {() => boolean} calling */
export function listenToKeys(actions, calling) {
  document.addEventListener("keydown", (event) => {
    if (!calling() || event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    // Escape first closes what is open on top of the call.
    if (event.key === "Escape" && !document.querySelector(":popover-open")) actions.interrupt();
    else if (writes(event.target)) return;
    else if (event.key.toLowerCase() === "m") actions.mute();
    else if (event.key === "3") actions.front();
  });
}

/** @param {EventTarget | null} target */
function writes(target) {
  return (
    target instanceof HTMLElement && target.matches("input:not([type=radio]), textarea, select, [contenteditable]")
  );
}
