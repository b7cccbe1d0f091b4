// What a thumb finds on the page: every control with its place, whether it is hit in its middle, and what sticks out.
() => {
  const scrolls = (element) => {
    for (let up = element.parentElement; up && up !== document.documentElement; up = up.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(up);
      if (/auto|scroll/.test(overflowX + overflowY)) return true;
    }
    return false;
  };
  const box = (element) => {
    const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
    return { left, top, right, bottom, width, height };
  };
  const name = (element) =>
    element.id || element.getAttribute("aria-label") || element.innerText?.trim() || String(element.className);
  const seen = [...document.body.querySelectorAll("*")].filter(
    (element) =>
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest(".unseen, .aura"),
  );
  const tapped = "button, select, input:not([type=radio], [type=checkbox]), .segmented label, .persona";
  const controls = [];
  for (const element of seen) {
    if (!element.matches(tapped)) continue;
    const { left, top, width, height } = element.getBoundingClientRect();
    const under = document.elementFromPoint(left + width / 2, top + height / 2);
    const hit = !!under && element.contains(under);
    controls.push({ name: name(element), box: box(element), scrolls: scrolls(element), hit });
  }
  const sticksOut = (element) => box(element).right > innerWidth + 0.5 || box(element).left < -0.5;
  return {
    page: [document.documentElement.scrollWidth, document.documentElement.scrollHeight],
    out: seen.filter((element) => !scrolls(element) && !element.closest("svg") && sticksOut(element)).map(name),
    controls,
  };
}
