"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  // Everything from the data becomes text here, and nothing becomes markup.
  // Characters that are not seen, or turn others round, are spelled out.
  const spelled = (c) => typeof c !== "string" ? c : c.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (r) => "\\u{" + r.codePointAt(0).toString(16) + "}");
  const el = (name, attributes, ...children) => {
    const e = document.createElement(name);
    for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
    e.append(...children.map(spelled));
    return e;
  };
  const svg = (name, attributes, ...children) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
    e.append(...children.map(spelled));
    return e;
  };
  const words = {
    "same": "✓ same", "configured": "• configured", "create": "+ create", "update": "~ update", "delete": "− delete",
    "orphan": "! orphan", "unmanaged": "? unmanaged", "accepted": "✓ accepted", "left-out": "left out", "none": "–", "unknown": "not known",
  };
  const moved = { "config": "the configuration", "live": "somebody, live", "both": "both sides", "unknown": "nobody knows" };
  const counted = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");

  // The matrix.
  const columns = data.environments.length + 1;
  const head = el("tr", {}, el("th", { scope: "col" }, "Object"));
  for (const e of data.environments) head.append(el("th", { scope: "col" }, e.name));
  byId("objects").tHead.append(head);

  const searched = (o) => {
    const parts = [o.kind + "/" + o.id, o.name || ""];
    for (const c of o.cells) {
      if (c.line) parts.push(c.line);
      if (!c.change) continue;
      for (const f of c.change.fields || []) parts.push(f.path, f.before, f.after);
      for (const f of c.change.flow || []) parts.push(f.task || "", f.what || "", f.before, f.after);
    }
    return parts.join("\n").toLowerCase();
  };

  const cellOf = (c) => {
    const td = el("td", { class: "s s-" + c.status });
    let text = words[c.status] || c.status;
    if (c.change && c.status === "update") {
      text += " " + counted((c.change.fields || []).length + (c.change.flow || []).length, "field");
      if (c.change.moved === "live" || c.change.moved === "both") text += ", moved live";
    }
    td.append(c.status === "none" ? el("span", { "aria-label": "not there" }, text) : text);
    if (c.variant) td.append(" ", el("span", { class: "dim", title: "environments with the same letter have the same" }, "(" + c.variant + ")"));
    return td;
  };

  const rows = data.objects.map((o, i) => {
    const button = el("button", { type: "button", class: "row", "aria-expanded": "false" }, o.kind + "/" + o.id);
    const th = el("th", { scope: "row" }, button);
    if (o.name) th.append(el("span", { class: "name" }, o.name));
    const tr = el("tr", {}, th, ...o.cells.map(cellOf));
    const row = { o, tr, button, detail: null, text: null };
    button.addEventListener("click", () => toggle(row));
    return row;
  });

  const toggle = (row, open) => {
    const now = row.button.getAttribute("aria-expanded") === "true";
    if (open === undefined) open = !now;
    if (open === now) return;
    row.button.setAttribute("aria-expanded", String(open));
    if (open && !row.detail) {
      row.detail = detailOf(row.o);
      row.tr.after(row.detail);
    }
    if (row.detail) row.detail.hidden = !open;
  };

  const diffTable = (caption, header, lines) => {
    const t = el("table", {}, el("caption", { class: "dim" }, caption));
    t.append(el("thead", {}, el("tr", {}, ...header.map((h) => el("th", { scope: "col" }, h)))));
    t.append(el("tbody", {}, ...lines));
    return t;
  };

  const detailOf = (o) => {
    const td = el("td", { colspan: columns });
    const graphs = new Map();
    const alike = new Map(); // environments of which the same is to be said
    o.cells.forEach((c, i) => {
      const name = data.environments[i].name;
      if (c.graph) graphs.set(c.graph, [...(graphs.get(c.graph) || []), name]);
      if (c.status === "none") return;
      const key = JSON.stringify([c.status, c.line, c.variant, c.change]);
      if (alike.has(key)) alike.get(key).names.push(name);
      else alike.set(key, { c, names: [name] });
    });
    for (const { c, names } of alike.values()) {
      td.append(el("h3", {}, names.join(", ") + ": " + (words[c.status] || c.status)));
      if (c.line) td.append(el("p", { class: "dim" }, "written at ", el("code", {}, c.line)));
      const change = c.change;
      if (!change) continue;
      td.append(el("p", {}, "Moved by: " + (moved[change.moved] || change.moved) + (change.since ? ", since its last apply of " + change.since : "") + (change.adopts ? ". The object exists and was never applied from here." : "")));
      if (change.fields) {
        td.append(diffTable("Fields", ["Field", "Live", "Configured", "Moved by", "Line"], change.fields.map((f) => el("tr", {},
          el("th", { scope: "row" }, f.path), el("td", { class: "value before" }, f.before), el("td", { class: "value after" }, f.after),
          el("td", {}, (moved[f.moved] || f.moved) + (f.note ? " (" + f.note + ")" : "")), el("td", {}, f.line || "")))));
      }
      if (change.flow) {
        td.append(diffTable("What the flow does otherwise", ["Task", "Change", "Part", "Live", "Configured"], change.flow.map((f) => el("tr", {},
          el("th", { scope: "row" }, f.task || "the flow"), el("td", {}, f.kind), el("td", {}, f.what || ""),
          el("td", { class: "value before" }, f.before), el("td", { class: "value after" }, f.after)))));
      }
    }
    for (const [g, names] of graphs) {
      td.append(el("h3", {}, "The flow, as configured in " + names.join(", ")));
      td.append(...drawing(data.graphs[g - 1], o.kind + "/" + o.id));
    }
    if (!td.childNodes.length) td.append("Nothing more is known.");
    return el("tr", { class: "detail" }, td);
  };

  // A flow: a drawing, and the same in words.
  const W = 190, H = 40;
  const short = (s, n) => { const r = [...s]; return r.length > n ? r.slice(0, n - 1).join("") + "…" : s; };
  let drawings = 0;
  const drawing = (g, name) => {
    const id = "head" + (++drawings);
    const s = svg("svg", { class: "graph", viewBox: "0 0 " + g.width + " " + g.height, width: g.width, height: g.height, role: "img", "aria-label": "Drawing of " + name + ", " + counted(g.steps.length, "step") + "; the list below says the same" });
    s.append(svg("defs", {}, svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z", class: "head" }))));
    for (const a of g.arrows) s.append(svg("path", { d: a.path, class: "edge", "marker-end": "url(#" + id + ")" }));
    for (const b of g.steps) {
      const round = b.shape === "screen" ? 2 : b.shape === "start" || b.shape === "end" ? H / 2 : 8;
      const box = svg("g", {}, svg("title", {}, b.id + " " + b.label + " (" + b.shape + ")"),
        svg("rect", { x: b.x, y: b.y, width: W, height: H, rx: round, class: "box " + (b.shape === "screen" ? "screen-step" : b.shape) }),
        svg("text", { x: b.x + W / 2, y: b.y + H / 2 + 4 }, short(b.label || b.id, 28)));
      s.append(box);
    }
    for (const a of g.arrows) if (a.label) s.append(svg("text", { x: a.x, y: a.y, class: "label" }, short(a.label, 22)));
    const list = el("ol", {});
    g.steps.forEach((b, i) => {
      const to = g.arrows.filter((a) => a.from === i).map((a) => (a.label ? a.label + ": " : "") + (g.steps[a.to].label || g.steps[a.to].id));
      list.append(el("li", {}, (b.label || b.id) + " (" + b.shape + ")" + (to.length ? " leads to " + to.join("; ") : "")));
    });
    return [s, el("details", {}, el("summary", {}, "In words"), list)];
  };

  // The history.
  const runs = (data.runs || []).map((r) => {
    const resources = r.resources || [];
    const changes = el("td", {}, "+" + r.create + " ~" + r.update + " −" + r.delete);
    if (resources.length) changes.append(el("details", {}, el("summary", {}, counted(resources.length, "object")), el("ul", {}, ...resources.map((x) => el("li", {}, x)))));
    const status = el("td", { class: r.status === "done" ? "s-same" : "s-delete" }, r.status);
    if (r.error) status.append(el("div", { class: "problem" }, r.error));
    const time = new Date(r.time);
    const tr = el("tr", {}, el("td", {}, el("time", { datetime: r.time }, r.time.slice(0, 16).replace("T", " ") + (r.time.endsWith("Z") ? " UTC" : ""))),
      el("td", {}, r.environment), el("td", {}, r.operation), status, el("td", {}, r.user), changes, el("td", {}, el("code", {}, r.run)));
    return { r, tr, text: [r.environment, r.operation, r.status, r.user, r.run, ...resources, r.error || ""].join("\n").toLowerCase(), time };
  });
  byId("runs").tBodies[0].append(...runs.map((r) => r.tr));

  // Filters.
  for (const k of new Set(data.objects.map((o) => o.kind))) byId("kind").append(el("option", { value: k }, k + "s"));
  data.environments.forEach((e, i) => byId("environment").append(el("option", { value: String(i) }, e.name)));
  const states = {
    "differs": (o) => o.differs || o.cells.some((c) => c.status === "none" || c.status === "left-out") && o.cells.some((c) => c.line),
    "change": (o, cells) => cells.some((c) => c.change),
    "live": (o, cells) => cells.some((c) => c.change && (c.change.moved === "live" || c.change.moved === "both")),
  };
  let shown = rows;
  const filter = () => {
    const want = byId("search").value.trim().toLowerCase();
    const kind = byId("kind").value, at = byId("environment").value, state = byId("state").value;
    shown = rows.filter((row) => {
      const cells = at === "" ? row.o.cells : [row.o.cells[Number(at)]];
      let keep = (kind === "" || row.o.kind === kind) && (at === "" || cells[0].status !== "none");
      if (keep && state !== "") keep = states[state] ? states[state](row.o, cells) : cells.some((c) => c.status === state);
      if (keep && want !== "") keep = (row.text ??= searched(row.o)).includes(want);
      if (row.tr.hidden === keep) row.tr.hidden = !keep;
      if (row.detail) row.detail.hidden = !keep || row.button.getAttribute("aria-expanded") !== "true";
      return keep;
    });
    byId("count").textContent = shown.length === rows.length ? counted(rows.length, "object") + "." : shown.length + " of " + counted(rows.length, "object") + ".";
    let n = 0;
    for (const r of runs) {
      const keep = (at === "" || r.r.environment === data.environments[Number(at)].name) && (want === "" || r.text.includes(want));
      r.tr.hidden = !keep;
      if (keep) n++;
    }
    byId("runs-count").textContent = n === runs.length ? counted(n, "run") + "." : n + " of " + counted(runs.length, "run") + ".";
  };
  byId("objects").tBodies[0].append(...rows.map((r) => r.tr));
  byId("filters").addEventListener("submit", (e) => e.preventDefault());
  for (const id of ["search", "kind", "environment", "state"]) byId(id).addEventListener("input", filter);
  byId("expand").addEventListener("click", () => { for (const r of shown) toggle(r, true); });
  byId("collapse").addEventListener("click", () => { for (const r of rows) toggle(r, false); });

  // Light and dark: as the system has it, until somebody chooses.
  const system = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
  const label = () => { byId("theme").textContent = theme() === "dark" ? "Light" : "Dark"; };
  byId("theme").addEventListener("click", () => { document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark"; label(); });
  system.addEventListener("change", label);
  label();
  filter();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
})();
