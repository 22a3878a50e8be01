"use strict";
// Everything here also works, more slowly, by reloading: answers and jobs are rendered by the server.

const $ = (selector, root = document) => root.querySelector(selector);

const made = (name, content = "", properties = {}) => {
  const element = Object.assign(document.createElement(name), properties);
  element.textContent = content;
  return element;
};

const problem = async (answer) => {
  const told = await answer.json().catch(() => ({}));
  const said = told.error?.message ?? [told.detail, told.remedy].filter(Boolean).join(" ");
  return said || `The service answered ${answer.status}.`;
};

// The events of a stream, as OpenAI's protocol has them.
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      const data = event.replace(/^data: /, "");
      if (data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

const address = (source) => {
  const { repo, path, start_line: start, end_line: end } = source;
  return `/ui/source?${new URLSearchParams({ repo, path, start, end })}#L${start}`;
};

async function answerOf(model, question, repo) {
  const article = made("article");
  const text = made("div", "", { className: "answer busy" });
  text.setAttribute("aria-live", "polite");
  article.append(made("h2", model), text);
  $("#answers").append(article);
  try {
    const answer = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: question }], stream: true, repo }),
    });
    if (!answer.ok) throw new Error(await problem(answer));
    for await (const part of events(answer)) {
      if (part.error) throw new Error(part.error.message);
      text.textContent += part.choices[0].delta.content ?? "";
      if (part.sources) {
        const list = made("ol", "", { className: "sources" });
        for (const source of part.sources) {
          const item = made("li");
          const place = `${source.path}:${source.start_line}-${source.end_line}`;
          item.append(
            made("a", place, { href: address(source) }),
            made("span", `${source.symbol} · ${source.repo}@${source.commit.slice(0, 12)}`),
          );
          list.append(item);
        }
        if (!part.sources.length) list.append(made("li", "none"));
        article.append(made("h3", "Sources"), list);
      }
    }
  } catch (error) {
    const said = made("p", error.message, { className: "error" });
    said.setAttribute("role", "alert");
    article.append(said);
  } finally {
    text.classList.remove("busy");
  }
}

$("#ask")?.addEventListener("submit", async (event) => {
  const chosen = [...event.target.querySelectorAll("[name=model]:checked")].map((box) => box.value);
  if (!chosen.length) return;
  event.preventDefault();
  const button = $("button", event.target);
  button.disabled = true;
  $("#answers").replaceChildren();
  const repo = $("#repo")?.value ?? "";
  await Promise.all(chosen.map((model) => answerOf(model, $("#q").value, repo)));
  button.disabled = false;
});

$("#q")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form.requestSubmit();
});

for (const form of document.querySelectorAll("form[data-start]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = $(".said", form);
    const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
    const body = Object.keys(fields).length ? JSON.stringify(fields) : undefined;
    said.textContent = "…";
    const answer = await fetch(form.dataset.start, {
      method: "POST",
      headers: body ? { "Content-Type": "application/json" } : {},
      body,
    }).catch(() => null);
    if (!answer?.ok) {
      said.textContent = answer ? await problem(answer) : "The service doesn't answer.";
      return;
    }
    const { job_id: id } = await answer.json();
    if (form.classList.contains("cancel")) said.textContent = "It is being ended.";
    else location.assign(`/ui/jobs/${id}`);
  });
}

const goesOn = (status) => status === "queued" || status === "running";

function showCurve(steps) {
  const figure = $("#curve");
  if (steps.length < 2) return;
  const [width, height, left, bottom] = [640, 200, 44, 22];
  const losses = steps.map((step) => step.loss);
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const last = steps.at(-1).step;
  const x = (step) => left + ((width - left - 8) * (step - 1)) / Math.max(1, last - 1);
  const y = (loss) => 8 + ((height - bottom - 8) * (high - loss)) / (high - low || 1);
  const points = steps.map((step) => `${x(step.step).toFixed(1)},${y(step.loss).toFixed(1)}`).join(" ");
  $("svg", figure).innerHTML =
    `<line x1="${left}" y1="${height - bottom}" x2="${width}" y2="${height - bottom}"/>` +
    `<text x="0" y="14">${high.toFixed(2)}</text><text x="0" y="${height - bottom}">${low.toFixed(2)}</text>` +
    `<text x="${width}" y="${height - 4}" text-anchor="end">step ${last}</text><polyline points="${points}"/>`;
  $("figcaption", figure).textContent = `Loss by step, in nats a token; ${steps.at(-1).loss.toFixed(3)} at step ${last}.`;
  figure.hidden = false;
}

async function watchJob(section) {
  const id = section.dataset.job;
  let status = section.dataset.status;
  for (;;) {
    const answer = await fetch(`/jobs/${id}/metrics`).catch(() => null);
    if (answer?.ok) showCurve((await answer.json()).steps);
    if (!goesOn(status)) return;
    await new Promise((done) => setTimeout(done, 1000));
    const told = await fetch(`/ingest/status/${id}`).then((one) => one.json()).catch(() => null);
    if (!told?.status || !told.job_id) continue;
    status = told.status;
    const shown = $(".status", section);
    if (shown.textContent !== status) Object.assign(shown, { textContent: status, className: `status ${status}` });
    $(".stage", section).textContent = told.stage || "–";
    $("progress", section).value = told.progress;
    if (told.started_at) {
      const began = new Date(1000 * told.started_at).toISOString();
      $(".started", section).textContent = `${began.slice(0, 19).replace("T", " ")} UTC`;
    }
    const now = told.training;
    $(".training", section).textContent = now
      ? `step ${now.step} of ${now.max_steps}, loss ${now.loss.toFixed(3)}, ${Math.round(now.tokens_per_second)} tokens/s, ${Math.round(now.eta_seconds)} s left`
      : "–";
    if (!goesOn(status)) {
      $(".cancel", section).hidden = true;
      const error = $(".error", section);
      error.textContent = told.error ?? "";
      error.hidden = !told.error;
    }
  }
}

const section = $("#job");
if (section) {
  watchJob(section);
  const log = $("#log");
  const following = new EventSource(log.dataset.log);
  following.addEventListener("log", (event) => {
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    log.append(event.data + "\n");
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
  following.addEventListener("end", () => {
    following.close();
    if (!log.textContent) log.textContent = "This job writes no log of its own.";
  });
}

const table = $("#jobs");
if (table && $("tr[data-status=queued], tr[data-status=running]", table)) {
  const refresh = async () => {
    const told = await fetch("/jobs").then((answer) => answer.json()).catch(() => null);
    for (const job of told?.jobs ?? []) {
      const row = $(`tr[data-job="${job.job_id}"]`, table);
      if (!row) continue;
      Object.assign($(".status", row), { textContent: job.status, className: `status ${job.status}` });
      $(".stage", row).textContent = job.stage;
      $("progress", row).value = job.progress;
      row.dataset.status = job.status;
    }
    if ($("tr[data-status=queued], tr[data-status=running]", table)) setTimeout(refresh, 1500);
  };
  setTimeout(refresh, 1500);
}
