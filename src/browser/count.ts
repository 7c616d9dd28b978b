/** Keeps the number of what waits for moderators up to date on an open page: in its text and in the window's title. */

const EVERY_MS = 10_000

const output = document.querySelector<HTMLOutputElement>('output[data-count-from]')
const title = document.title

async function look(from: string): Promise<void> {
  const response = await fetch(from, { headers: { accept: 'application/json' } })
  if (!response.ok || !output) return
  const { waiting, text } = (await response.json()) as { waiting: number; text: string }
  // Only a change is written: programs that read pages aloud say it then.
  if (output.textContent !== text) output.textContent = text
  document.title = waiting > 0 ? `(${waiting}) ${title}` : title
}

const from = output?.dataset.countFrom
if (from !== undefined) {
  setInterval(() => {
    if (document.visibilityState === 'visible') look(from).catch(() => undefined)
  }, EVERY_MS)
}
