/**
 * Does the work that a form asks for, while it is filled in, so that nobody needs to answer the question. Where this
 * cannot be done the question stays.
 */

const box = document.querySelector<HTMLElement>('.challenge')
const form = box?.closest('form')
const answer = box?.querySelector<HTMLInputElement>('[name="answer"]')
const work = box?.querySelector<HTMLInputElement>('[name="work"]')
const status = box?.querySelector<HTMLElement>('[role="status"]')
if (box && form && answer && work && status) prepare(box, form, { answer, work, status })

interface Parts {
  answer: HTMLInputElement
  work: HTMLInputElement
  status: HTMLElement
}

function prepare(challenge: HTMLElement, editor: HTMLFormElement, { answer, work, status }: Parts): void {
  const { token = '', bits = '', worker: address = '' } = challenge.dataset
  let state: 'new' | 'working' | 'done' | 'failed' = 'new'
  /** A press of the button that waits for the work. */
  let pressed: { by: HTMLElement | null } | undefined

  const fail = () => {
    state = 'failed'
    status.textContent = ''
    if (pressed) answer.focus()
    pressed = undefined
  }

  const start = () => {
    if (state !== 'new') return
    state = 'working'
    status.textContent = status.dataset.working ?? ''
    try {
      const worker = new Worker(address)
      worker.addEventListener('error', fail)
      worker.addEventListener('message', ({ data }: MessageEvent<string>) => {
        worker.terminate()
        work.value = data
        state = 'done'
        status.textContent = status.dataset.done ?? ''
        // Nobody who is just writing there loses their place.
        if (document.activeElement !== answer)
          answer.closest<HTMLElement>('.field')?.setAttribute('hidden', '')
        if (pressed) editor.requestSubmit(pressed.by)
      })
      // eslint-disable-next-line unicorn/require-post-message-target-origin -- a worker has none
      worker.postMessage({ token, bits: Number(bits) })
    } catch {
      fail()
    }
  }

  editor.addEventListener('focusin', start)
  if (editor.contains(document.activeElement) || answer.hasAttribute('aria-invalid')) start()
  editor.addEventListener('submit', (event) => {
    const isPreview = event.submitter instanceof HTMLButtonElement && event.submitter.value === 'preview'
    if (isPreview || answer.value.trim() !== '') return
    start()
    if (state !== 'working') return
    event.preventDefault()
    pressed = { by: event.submitter }
  })
}
