// What dials.py shows in the browser: native controls, so that keys, names and values are the
// browser's own business. Nothing is loaded from elsewhere.

// Each widget loads this text as a module of its own, so a counter would give ids twice.
const newId = () => `albert-dial-${Math.random().toString(36).slice(2)}`;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function send(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

function slider(model, el) {
  const id = newId();
  const range = element("input", {
    type: "range", id, min: model.get("min"), max: model.get("max"), step: model.get("step"),
  });
  // a screen reader has the same from aria-valuetext
  const readout = element("span", { className: "albert-dial-value" });
  readout.setAttribute("aria-hidden", "true");
  const say = (value) => {
    readout.textContent = Number(value).toFixed(model.get("decimals"));
    range.setAttribute("aria-valuetext", readout.textContent);
  };
  const show = () => {
    range.value = model.get("value");
    say(model.get("value"));
  };
  range.addEventListener("input", () => say(range.value)); // while it is dragged
  range.addEventListener("change", () => send(model, "value", Number(range.value)));
  model.on("change:value", show);
  show();
  el.append(element("label", { htmlFor: id, textContent: model.get("description") }), range, readout);
}

function choice(model, el) {
  const id = newId();
  const options = model.get("labels").map((label) => element("option", { textContent: label }));
  const list = element("select", { id }, ...options);
  const show = () => { list.selectedIndex = model.get("index"); };
  list.addEventListener("change", () => send(model, "index", list.selectedIndex));
  model.on("change:index", show);
  show();
  el.append(element("label", { htmlFor: id, textContent: model.get("description") }), list);
}

function buttons(model, el) {
  const id = newId();
  const question = element("p", { id }, element("b", { textContent: "Guess." }), ` ${model.get("description")}`);
  const row = element("div", { className: "albert-dial-row" });
  row.setAttribute("role", "group");
  row.setAttribute("aria-labelledby", id);
  const all = model.get("labels").map((label, place) => {
    const button = element("button", { type: "button", textContent: label });
    button.addEventListener("click", () => send(model, "pressed", place));
    return button;
  });
  row.append(...all);
  // there from the start: a region that comes with its text is not read out everywhere
  const said = element("div", { className: "albert-dial-said" });
  said.setAttribute("role", "status");
  const show = () => {
    all.forEach((button, place) => button.setAttribute("aria-pressed", String(place === model.get("pressed"))));
    said.innerHTML = model.get("said");
  };
  model.on("change:pressed change:said", show);
  show();
  el.append(question, row, said);
}

function steps(model, el) {
  const id = newId();
  const name = element("p", { id });
  const row = element("div", { className: "albert-dial-row" });
  row.setAttribute("role", "group");
  row.setAttribute("aria-labelledby", id);
  const said = element("div", { className: "albert-dial-said" });
  said.setAttribute("role", "status");
  const show = () => {
    const hadFocus = row.contains(document.activeElement);
    name.textContent = model.get("description");
    row.replaceChildren(...model.get("labels").map((label, place) => {
      const button = element("button", { type: "button", textContent: label });
      button.addEventListener("click", () => send(model, "pressed", place));
      return button;
    }));
    keepKeys(row);
    if (hadFocus) row.querySelector("button")?.focus(); // the pressed one may be gone
    if (said.textContent !== model.get("said")) said.textContent = model.get("said");
  };
  model.on("change:description change:labels change:said", show);
  show();
  el.append(name, row, said);
}

// JupyterLab then leaves their keys alone; it looks at what has the focus before what is around
function keepKeys(el) {
  for (const control of el.querySelectorAll("input, select, button")) {
    control.setAttribute("data-lm-suppress-shortcuts", "true");
  }
}

function render({ model, el }) {
  el.classList.add("albert-dial", `albert-dial-${model.get("kind")}`);
  ({ slider, choice, buttons, steps })[model.get("kind")](model, el);
  keepKeys(el);
}

export default { render };
