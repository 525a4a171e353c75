// What is wrong with the page that is shown, for the eye and the thumb. Its value is a list, empty where all is well.
(() => {
  const wrong = [];
  const channels = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return [red, green, blue, alpha];
  };
  const over = (top, below) => [0, 1, 2].map((index) => top[index] * top[3] + below[index] * (1 - top[3]));
  // What lies behind an element's own content, or behind the element itself.
  const ground = (element) => {
    if (!element) return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
    const style = getComputedStyle(element);
    if (style.backgroundImage !== "none") wrong.push(`${element.tagName} has a picture behind its text`);
    const own = channels(style.backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement));
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const needs = (least, one, other, what) => {
    const is = contrast(one, other);
    if (is < least) wrong.push(`${what} has a contrast of ${is.toFixed(2)}, which is less than ${least}`);
  };

  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.data.trim();
    const element = node.parentElement;
    if (!text || !element.checkVisibility()) continue;
    texts++;
    const style = getComputedStyle(element);
    const behind = ground(element);
    needs(4.5, over(channels(style.color), behind), behind, JSON.stringify(text));
    if (parseFloat(style.fontSize) < 14) wrong.push(`${JSON.stringify(text)} is smaller than 14 px`);
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.left < 8 || box.right > innerWidth - 8) wrong.push(`${JSON.stringify(text)} touches the window's edge`);
    }
  }
  if (texts < 3) wrong.push("there is almost no text");

  // WCAG 2.2, 1.4.11: what tells a picture or a button from what is around it.
  for (const picture of document.querySelectorAll("svg")) {
    const behind = ground(picture.parentElement);
    needs(3, over(channels(getComputedStyle(picture).stroke), behind), behind, "the picture");
  }
  for (const button of document.querySelectorAll("button, a")) {
    const box = button.getBoundingClientRect();
    if (box.height < 44 || box.width < 44) wrong.push(`the button is ${box.width} x ${box.height} px`);
    needs(3, ground(button), ground(button.parentElement), "the button");
    if (button !== document.activeElement) continue;
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(button);
    if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) wrong.push("the focus is not seen");
    needs(3, channels(outlineColor).slice(0, 3), ground(button.parentElement), "the focus");
  }
  if (document.documentElement.scrollWidth > innerWidth) {
    wrong.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  }
  for (const [what, selector] of [["h1", "h1"], ["main", "main"], ["viewport", "meta[name=viewport]"]]) {
    const count = document.querySelectorAll(selector).length;
    if (count !== 1) wrong.push(`${what} is there ${count} times`);
  }
  return wrong;
})()
