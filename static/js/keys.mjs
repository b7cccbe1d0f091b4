// @ts-check
/** The call by keyboard: M mutes, Escape interrupts. Enter sends by itself, for the text box is in a form. */

/** @param {{mute: () => void, interrupt: () => void}} actions @param {() => boolean} calling */
export function listenToKeys(actions, calling) {
  document.addEventListener("keydown", (event) => {
    if (!calling() || event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    // Escape first closes what is open on top of the call.
    if (event.key === "Escape" && !document.querySelector(":popover-open")) actions.interrupt();
    else if (event.key.toLowerCase() === "m" && !writes(event.target)) actions.mute();
  });
}

/** @param {EventTarget | null} target */
function writes(target) {
  return (
    target instanceof HTMLElement && target.matches("input:not([type=radio]), textarea, select, [contenteditable]")
  );
}
