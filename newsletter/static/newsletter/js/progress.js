// Keeps the figures of a moving mailing fresh. Without scripts the page reloads itself (see mailing.html).
(() => {
  const EVERY = 5000; // milliseconds, or ten times as long as the server took
  const block = document.querySelector("[data-mailing-progress][data-moving]");
  if (!block) return;

  async function refresh() {
    const inUse = document.hidden || block.contains(document.activeElement);
    const began = performance.now();
    if (!inUse && !(await replace())) return;
    setTimeout(refresh, Math.max(EVERY, 10 * (performance.now() - began)));
  }

  // False when there is nothing more to ask for: signed out, or the page as a whole has to change.
  async function replace() {
    let answer;
    try {
      answer = await fetch(block.dataset.mailingProgress);
    } catch {
      return true;
    }
    if (answer.redirected) return false;
    if (!answer.ok) return true;
    if (answer.headers.get("X-Mailing-State") !== block.dataset.state) {
      location.reload();
      return false;
    }
    block.innerHTML = await answer.text();
    return true;
  }

  setTimeout(refresh, EVERY);
})();
