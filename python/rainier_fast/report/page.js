"use strict";
(() => {
  const letters = "@ALPHABET@";
  const place = (id) => document.getElementById(id);

  // Five letters are four bytes; the bytes are gzip.
  async function unpacked(id) {
    const value = new Uint8Array(128);
    for (let at = 0; at < letters.length; at++) value[letters.charCodeAt(at)] = at;
    const holder = place(id);
    const text = holder.textContent;
    const bytes = new Uint8Array((text.length / 5) * 4);
    for (let at = 0, to = 0; at < text.length; at += 5, to += 4) {
      let word = 0;
      for (let one = 0; one < 5; one++) word = word * 85 + value[text.charCodeAt(at + one)];
      bytes[to] = word / 16777216;
      bytes[to + 1] = word >>> 16;
      bytes[to + 2] = word >>> 8;
      bytes[to + 3] = word;
    }
    holder.remove();
    const small = bytes.subarray(0, Number(holder.dataset.size));
    const stream = new Blob([small]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  function drawsInSpace() {
    const canvas = document.createElement("canvas");
    return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
  }

  const turned = (eye, around, above) => {
    const far = Math.hypot(eye.x, eye.y, eye.z);
    const angle = Math.atan2(eye.y, eye.x) + around;
    const height = Math.min(1.5, Math.max(-1.5, Math.asin(eye.z / far) + above));
    return {
      x: far * Math.cos(height) * Math.cos(angle),
      y: far * Math.cos(height) * Math.sin(angle),
      z: far * Math.sin(height),
    };
  };

  function torus(plot, figure, said) {
    const eye = () => plot._fullLayout.scene._scene.getCamera().eye;
    const look = (to) => Plotly.relayout(plot, { "scene.camera.eye": to });
    const near = (by) => {
      const one = eye();
      return look({ x: one.x * by, y: one.y * by, z: one.z * by });
    };
    let at = -1;
    const pick = (by) => {
      const count = figure.order.length;
      if (!count) return;
      at = at < 0 ? (by > 0 ? 0 : count - 1) : (at + by + count) % count;
      const cable = figure.order[at];
      const marks = figure.data[figure.cables];
      const here = { x: [[marks.x[cable]]], y: [[marks.y[cable]]], z: [[marks.z[cable]]] };
      said.textContent = `${at + 1} of ${count}: ${figure.words[cable]}`;
      return Plotly.restyle(plot, here, [figure.chosen]);
    };
    return {
      left: () => look(turned(eye(), -0.2, 0)),
      right: () => look(turned(eye(), 0.2, 0)),
      up: () => look(turned(eye(), 0, 0.2)),
      down: () => look(turned(eye(), 0, -0.2)),
      in: () => near(0.85),
      out: () => near(1 / 0.85),
      next: () => pick(1),
      previous: () => pick(-1),
    };
  }

  function timeline(plot, figure, said) {
    const marks = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "<br>": ", " };
    const plain = (html) => html.replace(/&(lt|gt|amp);|<br>/g, (one) => marks[one]);
    const bars = [];
    figure.data.forEach((trace, curve) =>
      trace.base.forEach((start, point) => bars.push({ start, curve, point, lane: trace.y[point] })),
    );
    const lanes = figure.layout.yaxis.categoryarray;
    bars.sort((a, b) => lanes.indexOf(a.lane) - lanes.indexOf(b.lane) || a.start - b.start);
    const span = () => plot._fullLayout.xaxis.range.slice();
    const move = (share, by) => {
      const [low, high] = span();
      const half = ((high - low) / 2) * by;
      const middle = (low + high) / 2 + share * (high - low);
      return Plotly.relayout(plot, { "xaxis.range": [middle - half, middle + half] });
    };
    let at = -1;
    const pick = (by) => {
      if (!bars.length) return;
      at = at < 0 ? (by > 0 ? 0 : bars.length - 1) : (at + by + bars.length) % bars.length;
      const { curve, point } = bars[at];
      said.textContent = `${at + 1} of ${bars.length}: ${plain(figure.data[curve].text[point])}`;
      Plotly.Fx.hover(plot, [{ curveNumber: curve, pointNumber: point }]);
    };
    return {
      left: () => move(-0.25, 1),
      right: () => move(0.25, 1),
      in: () => move(0, 0.6),
      out: () => move(0, 1 / 0.6),
      next: () => pick(1),
      previous: () => pick(-1),
    };
  }

  const keys = {
    ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down",
    "+": "in", "=": "in", "-": "out", n: "next", p: "previous",
  };

  async function draw(figure, at) {
    const frame = place(`view-${at}`);
    const plot = place(`view-${at}-plot`);
    const said = place(`view-${at}-said`);
    const inSpace = frame.dataset.kind === "torus";
    if (inSpace && !drawsInSpace()) {
      said.textContent = "This browser draws nothing in space (WebGL): the still picture is below.";
      return;
    }
    for (const one of frame.querySelectorAll(".live")) one.hidden = false;
    frame.classList.add("drawn");
    plot.style.height = `${figure.layout.height}px`;
    await Plotly.newPlot(plot, figure.data, figure.layout, {
      displayModeBar: false, responsive: true, scrollZoom: false,
    });
    const acts = (inSpace ? torus : timeline)(plot, figure, said);
    for (const button of frame.querySelectorAll("button[data-do]"))
      button.addEventListener("click", () => acts[button.dataset.do]());
    plot.addEventListener("keydown", (event) => {
      const act = acts[keys[event.key]];
      if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      act();
    });
    plot.on("plotly_hover", (found) => {
      const point = found.points[0];
      frame.dataset.shown = String(point.text ?? "");
    });
  }

  const breath = () => new Promise((resolve) => setTimeout(resolve, 0));
  let figures;

  async function ready() {
    const [source, views] = await Promise.all([unpacked("library"), unpacked("views")]);
    await breath();
    const script = document.createElement("script");
    script.textContent = source;
    document.head.append(script);
    await breath();
    return JSON.parse(views);
  }

  // The library is unpacked when the first picture comes near the screen, so pages open at once.
  async function reached(frame) {
    figures ??= ready();
    const at = Number(frame.id.split("-")[1]);
    await draw((await figures)[at], at);
    frame.dataset.ready = "yes";
  }

  // Regions that do not scroll need no stop of the Tab key.
  function fewerStops() {
    for (const one of document.querySelectorAll(".scroll, pre")) {
      const fits = one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight;
      if (fits && one.clientWidth) one.removeAttribute("tabindex");
    }
  }

  function start() {
    fewerStops();
    const frames = [...document.querySelectorAll(".view")];
    if (!window.DecompressionStream || !window.IntersectionObserver) {
      for (const one of document.querySelectorAll(".said"))
        one.textContent = "This browser is too old for the interactive picture; tables have it all.";
      return;
    }
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        reached(target);
      }
    }, { rootMargin: "300px" });
    for (const frame of frames) watch.observe(frame);
  }

  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not(.file)")) one.open = true;
  });
  // Text is read first: nothing is unpacked before it is on the screen.
  let started = false;
  const once = () => {
    if (!started) start();
    started = true;
  };
  addEventListener("load", () => {
    setTimeout(once, 2000);
    const seen = (list) => {
      if (list.getEntriesByName("first-contentful-paint").length) setTimeout(once, 0);
    };
    new PerformanceObserver(seen).observe({ type: "paint", buffered: true });
  });
})();
