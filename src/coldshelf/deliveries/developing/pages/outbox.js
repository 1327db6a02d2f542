"use strict";
const EVERY = 3000;
const PAGE = 50;
const $ = (id) => document.getElementById(id);
const state = { rows: [], next: null, chosen: null, events: [] };

async function call(method, path, body) {
  const answered = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answered.json();
  if (!answered.ok) throw new Error([said.detail, said.cure].filter(Boolean).join(" "));
  return said;
}

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function tell(text, bad) {
  $("notice").textContent = text;
  $("notice").className = bad ? "bad" : "";
  $("notice").hidden = !text;
  clearTimeout(tell.timer);
  if (text && !bad) tell.timer = setTimeout(() => ($("notice").hidden = true), 6000);
}

const guarded = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    tell(error.message, true);
  }
};

function query(cursor) {
  const asked = new URLSearchParams({ limit: PAGE, sort: "-OutboxId" });
  if ($("channel").value) asked.set("Channel", $("channel").value);
  if ($("event").value) asked.set("Type", $("event").value);
  if (cursor) asked.set("cursor", cursor);
  return `/api/v1/outbox?${asked}`;
}

async function refresh() {
  const page = await call("GET", query());
  const newest = new Set(page.data.map((row) => row.OutboxId));
  const oldest = Math.min(...newest);
  const isWhole = page.next === null;
  const older = isWhole ? [] : state.rows.filter((row) => row.OutboxId < oldest);
  if (!older.length) state.next = page.next;
  state.rows = [...page.data, ...older];
  draw();
}

async function more() {
  const page = await call("GET", query(state.next));
  state.rows = [...state.rows, ...page.data];
  state.next = page.next;
  draw();
}

function draw() {
  const focused = document.activeElement && document.activeElement.dataset.id;
  $("messages").replaceChildren(...state.rows.map(line));
  if (focused) {
    const again = $("messages").querySelector(`[data-id="${focused}"]`);
    if (again) again.focus({ preventScroll: true });
  }
  $("more").hidden = !state.next;
  $("empty").hidden = state.rows.length > 0;
  $("empty").textContent =
    $("channel").value || $("event").value
      ? "No message of this kind was kept."
      : "Nothing was kept yet. Subscribe to events, then trigger one.";
  document.querySelector("main").classList.toggle("alone", !state.chosen);
}

function outcome(row) {
  if (row.Error) return [row.Behaviour.replace("_", " "), "bad"];
  if (row.Status >= 400) return [String(row.Status), "bad"];
  return row.Behaviour === "slow" ? [`${row.Status} slow`, "slow"] : [String(row.Status), "good"];
}

function line(row) {
  const button = make("button");
  button.type = "button";
  button.dataset.id = row.OutboxId;
  button.setAttribute("aria-current", String(state.chosen === row.OutboxId));
  const what = make("span", undefined, "what");
  what.append(make("span", row.Channel, "badge"), row.Subject || row.Type);
  const [said, kind] = outcome(row);
  const when = make("span", moment(row.CreatedOn), "when");
  if (row.Number > 1) when.append(make("span", ` · attempt ${row.Number}`, "nth"));
  button.append(
    what,
    make("span", said, `outcome ${kind}`),
    make("span", row.Address, "where"),
    when,
  );
  button.addEventListener("click", guarded(() => open(row)));
  const item = make("li");
  item.append(button);
  return item;
}

function moment(text) {
  const when = new Date(text);
  const isToday = when.toDateString() === new Date().toDateString();
  return isToday ? when.toLocaleTimeString() : when.toLocaleString();
}

async function open(row) {
  const message = await call("GET", `/api/v1/outbox/${row.OutboxId}/message`);
  state.chosen = row.OutboxId;
  document.querySelector("main").classList.add("reading");
  $("title").textContent = row.Subject || row.Type;
  const facts = {
    To: row.Address,
    Event: `${row.Type} ${row.EventId}`,
    Attempt: `${row.Number} of delivery ${row.DeliveryId}, ${new Date(row.CreatedOn).toLocaleString()}`,
    Answer: row.Error || `${row.Status}${row.Behaviour === "ok" ? "" : ` (${row.Behaviour})`}`,
    Size: `${row.Size.toLocaleString()} bytes`,
  };
  $("facts").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  $("again").onclick = guarded(async () => {
    await call("POST", "/api/v1/deliveries/replay", { DeliveryIds: [row.DeliveryId] });
    tell(`Delivery ${row.DeliveryId} begins anew.`);
  });
  tabs(views(row, message));
  $("message").hidden = false;
  draw();
  if (matchMedia("(max-width: 800px)").matches) scrollTo(0, 0);
}

function views(row, message) {
  const found = [];
  const html = message.Parts.find((part) => part.ContentType === "text/html");
  const plain = message.Parts.find((part) => part.ContentType === "text/plain");
  if (html) found.push(["Message", () => frame(html.Text, message.Parts)]);
  if (plain) found.push(["Plain text", () => make("pre", plain.Text)]);
  if (!message.Parts.length) found.push(["Body", () => make("pre", pretty(message.Body))]);
  if (message.Headers.length) found.push(["Headers", () => headers(message.Headers)]);
  if (message.Parts.length) found.push(["Source", () => make("pre", message.Body)]);
  return found;
}

function frame(html, parts) {
  const shown = make("iframe");
  shown.title = "The mail as its reader sees it";
  // Nothing of a mail may run, ask or lead anywhere here.
  shown.setAttribute("sandbox", "");
  shown.srcdoc = html.replace(/cid:([^"'\s>)]+)/g, (whole, id) => {
    const part = parts.find((one) => one.ContentId === decodeURIComponent(id) && one.Base64);
    return part ? `data:${part.ContentType};base64,${part.Base64}` : whole;
  });
  return shown;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return /^[\w.~%+-]+=/.test(text)
      ? [...new URLSearchParams(text)].map(([name, value]) => `${name}: ${value}`).join("\n")
      : text;
  }
}

function headers(pairs) {
  const table = make("table");
  for (const { Name, Value } of pairs) {
    const row = table.insertRow();
    row.append(make("th", Name), make("td", Value));
  }
  return table;
}

function tabs(found) {
  const show = (chosen) => {
    [...$("tabs").children].forEach((tab, number) => tab.setAttribute("aria-selected", String(number === chosen)));
    $("shown").replaceChildren(found[chosen][1]());
  };
  $("tabs").replaceChildren(
    ...found.map(([name], number) => {
      const tab = make("button", name);
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.addEventListener("click", () => show(number));
      return tab;
    }),
  );
  show(0);
}

async function switches() {
  const held = await call("GET", "/api/v1/outbox/switches");
  $("state").className = held.Sandbox ? "" : "off";
  $("state").textContent = held.Sandbox
    ? "This is a sandbox: nothing leaves, everything is kept here for 30 days."
    : "This is no sandbox: messages leave. Set COLDSHELF_SANDBOX to keep them here.";
  $("switchboard").replaceChildren(...Object.entries(held.Switches).map(([name, value]) => control(name, value, held)));
  $("channel").append(...Object.keys(held.Switches).map((name) => new Option(name, name)));
  broken();
}

const BEHAVIOURS = {
  ok: "takes everything",
  slow: "slow: 10 s",
  refuse: "refuses the connection",
  time_out: "times out",
  cut: "cuts the connection",
  500: "fails (500)",
  410: "gone (410)",
};

function control(name, value, held) {
  const select = make("select");
  select.name = name;
  select.disabled = !held.Sandbox;
  // Names of members that are numbers come first in an object, so the order is given.
  for (const one of ["ok", "slow", "refuse", "time_out", "cut", "500", "410"]) {
    select.append(new Option(BEHAVIOURS[one], one, false, one === value));
  }
  select.addEventListener("change", guarded(async () => {
    const wanted = Object.fromEntries(new FormData($("switchboard")));
    await call("PUT", "/api/v1/outbox/switches", wanted);
    broken();
    tell("");
  }));
  const label = make("label", name);
  label.append(select);
  return label;
}

function broken() {
  const bad = [...$("switchboard").elements].filter((select) => {
    select.classList.toggle("broken", select.value !== "ok");
    return select.value !== "ok";
  });
  $("broken").textContent = bad.length ? `· ${bad.map((one) => `${one.name}: ${one.selectedOptions[0].text}`).join(", ")}` : "";
}

async function events() {
  state.events = (await call("GET", "/api/v1/events")).data;
  $("event").append(...state.events.map((one) => new Option(one.type, one.type)));
  const real = state.events.filter((one) => !one.isPromised && one.type !== "subscription.test");
  $("trigger").append(...real.map((one) => new Option(one.type, one.type, false, one.type === "image.processed")));
}

$("fire").addEventListener("click", guarded(async () => {
  const made = await call("POST", `/api/v1/events/${$("trigger").value}/trigger`);
  tell(`${$("trigger").value} about ${made.Dataset} ${made.Record} is on its way.`);
}));
$("back").addEventListener("click", () => {
  state.chosen = null;
  $("message").hidden = true;
  document.querySelector("main").classList.remove("reading");
  draw();
});
$("filters").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["channel", "event"]) {
  $(id).addEventListener("change", guarded(async () => {
    state.rows = [];
    await refresh();
  }));
}
$("more").addEventListener("click", guarded(more));
setInterval(guarded(async () => {
  if ($("live").checked && !document.hidden) await refresh();
}), EVERY);
guarded(async () => {
  await Promise.all([switches(), events()]);
  await refresh();
})();
