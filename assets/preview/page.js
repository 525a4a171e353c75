// Asks for what the toggles say, and again when the templates have changed. What is asked last is what is shown.
"use strict";

const controls = document.getElementById("controls");
const part = (id) => document.getElementById(id);
let stock = { templates: [], mistakes: [] };
let asked = 0;

function options(select, values, wanted) {
  select.replaceChildren(...values.map(([value, title]) => new Option(title, value)));
  const known = values.some(([value]) => value === wanted);
  if (values.length > 0) {
    select.value = known ? wanted : values[0][0];
  }
}

function choices(wanted) {
  const { template, locale, fixture } = controls;
  options(template, stock.templates.map(({ name }) => [name, name]), wanted("template"));
  const own = stock.templates.find(({ name }) => name === template.value) ?? { locales: [], fixtures: [] };
  options(locale, own.locales.map((name) => [name, name]), wanted("locale"));
  options(fixture, own.fixtures.map(({ id, title }) => [id, title === id ? id : `${id}: ${title}`]), wanted("fixture"));
}

function query() {
  const { template, locale, fixture, width, scheme, images, styles, outlook } = controls;
  return new URLSearchParams({
    template: template.value,
    locale: locale.value,
    fixture: fixture.value,
    width: width.value,
    scheme: scheme.value,
    images: images.checked,
    styles: styles.checked,
    outlook: outlook.checked,
  });
}

function trouble(text, isStale = true) {
  part("trouble").textContent = text;
  part("trouble").hidden = text === "";
  for (const id of ["mail", "text", "subject", "links"]) {
    part(id).classList.toggle("stale", isStale && text !== "");
  }
}

// What concerns no single mail: a file that nothing uses, say.
function mistakes() {
  part("mistakes").replaceChildren(...stock.mistakes.map((mistake) => {
    const item = document.createElement("li");
    item.textContent = mistake;
    return item;
  }));
  part("mistakes").hidden = stock.mistakes.length === 0;
}

// An answer, or what is wrong in its words; without any the page has ended.
async function ask(path) {
  let answer;
  try {
    answer = await fetch(path);
    if (answer.ok) {
      return await answer.json();
    }
    return { error: (await answer.text()) || `the preview answered with status ${answer.status}` };
  } catch {
    const what = answer === undefined ? "the preview has ended; start it again" : "the preview's answer cannot be read";
    return { error: what };
  }
}

async function show() {
  const mine = ++asked;
  const wanted = query();
  // The address keeps what is looked at over a reload of the page.
  history.replaceState(null, "", `#${wanted}`);
  const about = await ask(`about?${wanted}`);
  if (mine !== asked) {
    return;
  }
  if (about.error !== undefined) {
    // The last mail that could be made stays.
    trouble(about.error);
    document.body.dataset.shown = mine;
    return;
  }
  trouble(about.too_much ? "the mail is so large that its links and its height are a guess" : "", false);
  part("subject").textContent = about.subject;
  part("text").textContent = about.text;
  part("links").replaceChildren(...about.links.map((link) => {
    const item = document.createElement("li");
    item.textContent = link;
    return item;
  }));
  const frame = part("mail");
  frame.className = controls.scheme.value === "inverted" ? "inverted" : "";
  frame.width = controls.width.value;
  frame.height = Math.max(400, about.height + 160);
  frame.hidden = controls.plain.checked;
  part("text").hidden = !controls.plain.checked;
  // No entry in the history for each change.
  const made = frame.cloneNode(false);
  made.addEventListener("load", () => {
    document.body.dataset.shown = mine;
  }, { once: true });
  made.src = `mail?${wanted}`;
  frame.replaceWith(made);
}

async function restock(wanted) {
  const found = await ask("stock");
  if (found.error !== undefined) {
    trouble(found.error);
    return;
  }
  stock = found;
  mistakes();
  choices(wanted);
  await show();
}

controls.addEventListener("submit", (event) => event.preventDefault());
controls.addEventListener("change", () => {
  choices((name) => controls[name].value);
  show();
});

const before = new URLSearchParams(location.hash.slice(1));
for (const name of ["width", "scheme"]) {
  if (before.has(name)) {
    controls[name].value = before.get(name);
  }
}
for (const name of ["images", "styles", "outlook"]) {
  if (before.has(name)) {
    controls[name].checked = before.get(name) === "true";
  }
}
const ready = restock((name) => before.get(name));

const events = new EventSource("events");
events.addEventListener("open", () => {
  part("status").textContent = "Reloads when the templates change.";
  document.body.dataset.listening = "true";
});
events.addEventListener("changed", async () => {
  await ready;
  await restock((name) => controls[name].value);
  part("status").textContent = `Reloaded ${new Date().toLocaleTimeString()}.`;
});
events.addEventListener("error", () => {
  part("status").textContent = "The preview has ended; start it again.";
  // Nobody is there to come back to: each start has an address of its own.
  events.close();
});
