// What a browser shows of a mail, run by run, when every character is as wide as in a terminal. The value of this file
// is an object of two functions; a mail's own scripts do not run, and nothing here asks the network for anything.
({
  // Gives every text one font of cells: 8 px for a Latin letter, 16 px for Hangul, 18 px a line. What a mail says in
  // `em` is kept as it was before; text of no readable size keeps its size.
  async prepare() {
    const all = [document.body, ...document.body.querySelectorAll("*")];
    const before = all.map((element) => {
      const style = getComputedStyle(element);
      const kept = {};
      for (const side of ["top", "right", "bottom", "left"]) kept[`padding-${side}`] = style[`padding-${side}`];
      for (const side of ["top", "bottom"]) kept[`margin-${side}`] = style[`margin-${side}`];
      const readable = parseFloat(style.fontSize) > 2;
      if (!readable) kept["line-height"] = style.lineHeight;
      const font = { "font-family": "NanumGothicCoding", "letter-spacing": "0", "word-spacing": "0" };
      return { ...kept, ...font, ...(readable ? { "font-size": "16px", "line-height": "18px" } : {}) };
    });
    all.forEach((element, index) => {
      element.toggleAttribute("data-unreadable", !("font-size" in before[index]));
      for (const [name, value] of Object.entries(before[index])) element.style.setProperty(name, value, "important");
    });
    // Images as if they had come, as large as the mail says, in a colour that no mail has.
    const images = [...document.images];
    for (const image of images) {
      const [width, height] = ["width", "height"].map((side) => parseInt(image.getAttribute(side), 10) || 16);
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
        <rect width="100%" height="100%" fill="#7b5"/></svg>`;
      image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    }
    await Promise.all([document.fonts.ready, ...images.map((image) => image.decode().catch(() => {}))]);
    await Promise.all(["", "bold "].map((weight) => document.fonts.load(`${weight}16px NanumGothicCoding`)));
    // The font draws some signs over two cells that take one in a terminal; a letter stands in for them meanwhile.
    const pen = new OffscreenCanvas(1, 1).getContext("2d");
    pen.font = "16px NanumGothicCoding";
    const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const fits = (sign) => sign <= "~" || wide.test(sign) || pen.measureText(sign).width < 12;
      const shown = node.data.replace(/[\u0080-\uffff]/g, (sign) => (fits(sign) ? sign : "x"));
      if (shown !== node.data) [node.original, node.data] = [node.data, shown];
    }
    return document.documentElement.scrollHeight;
  },

  // Every visible run of text: a text node's share of one line. Hides the text then, so that a picture of the page shows
  // the backgrounds alone.
  runs() {
    const runs = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(), number = 0; node; node = walker.nextNode(), number++) {
      const parent = node.parentElement;
      const style = getComputedStyle(parent);
      const shown = parent.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!shown || parent.closest("[data-unreadable]") === parent) continue;
      let run = null;
      const end = () => {
        if (run && run.text.trim()) runs.push(run);
        run = null;
      };
      const range = document.createRange();
      let at = 0;
      for (const character of node.data) {
        range.setStart(node, at);
        at += character.length;
        range.setEnd(node, at);
        const box = [...range.getClientRects()].find((box) => box.width > 0);
        if (!box || isClipped(parent, box)) continue;
        if (run && Math.abs(box.top - run.top) > 4) end();
        const blank = /\s/.test(character);
        if (!run && blank) continue;
        run ??= { node: number, text: "", left: box.left, top: box.top + scrollY, height: box.height };
        run.text += blank ? " " : (node.original ?? node.data).slice(at - character.length, at);
        if (!blank) run.right = box.right;
      }
      end();
      for (const run of runs.filter((run) => run.node === number)) {
        run.text = transformed(run.text.trimEnd(), style.textTransform);
        run.colour = style.color;
        run.opacity = opacity(parent);
        run.bold = parseInt(style.fontWeight, 10) >= 600;
      }
    }
    const hide = document.createElement("style");
    hide.textContent = `* { -webkit-text-fill-color: transparent !important; text-decoration: none !important;
      text-shadow: none !important; box-shadow: none !important; } ::marker { color: transparent !important; }`;
    document.head.append(hide);
    return runs;

    function isClipped(element, box) {
      for (let up = element; up !== document.body; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (style.overflowY === "visible" || style.display === "inline") continue;
        const clip = up.getBoundingClientRect();
        const inside = Math.min(box.bottom, clip.bottom) - Math.max(box.top, clip.top);
        if (inside < 4 || Math.min(box.right, clip.right) - Math.max(box.left, clip.left) < 2) return true;
      }
      return false;
    }

    function transformed(text, how) {
      if (how === "uppercase") return text.toUpperCase();
      return how === "lowercase" ? text.toLowerCase() : text;
    }

    function opacity(element) {
      let product = 1;
      for (let up = element; up; up = up.parentElement) product *= parseFloat(getComputedStyle(up).opacity);
      return product;
    }
  },

  // Adds to each run its background and how far that reaches to both sides, from a picture of the page without text; and
  // the colour that is seen, where text shines through.
  async backgrounds(runs, picture) {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const colours = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const { data, width } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const pixel = (x, y) => [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];
    const same = (one, other) => one.every((channel, index) => Math.abs(channel - other[index]) <= 3);
    // On three lines, since the border of a cell beside the text may run along one.
    const reach = (run, y) => {
      const within = (x) => Math.max(0, Math.min(bitmap.width - 1, x));
      let [left, right] = [within(Math.round(run.left) + 1), within(Math.round(run.right) - 2)];
      while (left > 0 && same(pixel(left - 1, y), run.background)) left--;
      while (right < bitmap.width - 1 && same(pixel(right + 1, y), run.background)) right++;
      return [left, right + 1];
    };
    for (const run of runs) {
      const lines = [0.3, 0.5, 0.7].map((part) => Math.min(bitmap.height - 1, Math.round(run.top + run.height * part)));
      run.background = pixel(Math.round(run.left) + 1, lines[1]);
      const reaches = lines.map((y) => reach(run, y));
      run.from = Math.min(...reaches.map(([from]) => from));
      run.to = Math.max(...reaches.map(([, to]) => to));
      colours.globalAlpha = 1;
      colours.fillStyle = `rgb(${run.background})`;
      colours.fillRect(0, 0, 1, 1);
      colours.globalAlpha = run.opacity;
      colours.fillStyle = run.colour;
      colours.fillRect(0, 0, 1, 1);
      run.colour = [...colours.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    }
    return runs;
  },
})
