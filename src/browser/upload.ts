/**
 * Sends the files of a form before the form itself: with progress, and on from where it was cut off (tus). Pictures can be
 * looked at, and faces in them hidden, before anything is sent. Nothing of it is kept in the browser.
 */
import type { hideFaces as HideFaces, Messages } from './hide-faces.ts'

/** What the page says to this script. */
interface Told {
  /** The form's address, and those of the protocol and of what is loaded when it is needed. */
  form: string
  uploads: string
  tus: string
  hideFaces: string
  /** Files that an item may have. */
  most: number
  say: Messages
  faces: Messages
}

/** What is used of tus-js-client, which defines `tus` for the whole page. */
interface Tus {
  Upload: new (
    file: File,
    options: object,
  ) => { start: () => void; abort: (terminate: boolean) => Promise<void>; url: string | null }
}
interface TusError extends Error {
  originalResponse?: { getStatus: () => number; getBody: () => string } | null
}

const CHUNK_BYTES = 8 * 1024 * 1024
const RETRY_MS = [0, 1000, 2000, 4000, 8000, 15_000, 30_000, 60_000]
const LOOK_MS = 700
const PREVIEW_SIDE = 288

const fieldset = document.querySelector<HTMLFieldSetElement>('fieldset.files')
const form = fieldset?.closest('form')
const chooser = fieldset?.querySelector<HTMLInputElement>('input[type="file"]')
const list = fieldset?.querySelector<HTMLOListElement>('.file-list')
const template = fieldset?.querySelector('template')

interface Parts {
  chooser: HTMLInputElement
  list: HTMLOListElement
  template: HTMLTemplateElement
}

/** A file that was chosen, in its row of the form. */
class Row {
  readonly element: HTMLLIElement
  file: File
  state: 'waiting' | 'sending' | 'ready' | 'gone' = 'waiting'
  readonly #told: Told
  readonly #key: HTMLInputElement
  readonly #status = document.createElement('p')
  readonly #progress = document.createElement('progress')
  readonly #tools = document.createElement('p')
  #upload: InstanceType<Tus['Upload']> | undefined
  #settle: { resolve: (id: string) => void; reject: (problem: Error) => void } | undefined
  #shown: HTMLCanvasElement | undefined

  constructor(file: File, element: HTMLLIElement, told: Told) {
    this.file = file
    this.element = element
    this.#told = told
    const [key] = element.querySelectorAll<HTMLInputElement>('input[type="hidden"]')
    if (!key) throw new Error('the page has no row for a file')
    this.#key = key
    this.#status.className = 'status'
    this.#status.setAttribute('role', 'status')
    this.#progress.max = 100
    this.#progress.hidden = true
    this.#tools.className = 'tools'
    element.querySelector('.file-head')?.after(this.#status, this.#progress, this.#tools)
    this.#describe()
    this.#say(told.say.waiting)
    if (/^image\/(?!svg)/.test(file.type)) this.#offerHiding()
    const out = element.querySelector<HTMLInputElement>('input[type="checkbox"]')
    out?.addEventListener('change', () => this.#takeOut())
  }

  /** Sends it, and waits until it has been made clean. */
  async send(tus: Tus, token: string): Promise<void> {
    if (this.state !== 'waiting') return
    this.state = 'sending'
    this.#tools.replaceChildren()
    this.#progress.hidden = false
    try {
      const id = await this.#transfer(tus, token)
      this.#say(this.#told.say.working)
      this.#progress.removeAttribute('value')
      await this.#wait(id)
      this.#key.value = id
      this.state = 'ready'
      this.#say(this.#told.say.ready)
    } catch (problem) {
      if (!this.element.isConnected) return
      this.state = 'waiting'
      this.#say((problem as Error).message || this.#told.say.failed)
      this.#offerAgain(tus, token)
    } finally {
      this.#progress.hidden = true
    }
  }

  #transfer(tus: Tus, token: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      // One that was given up goes on where it stopped.
      this.#upload ??= new tus.Upload(this.file, this.#options(token))
      this.#upload.start()
    })
  }

  #options(token: string): object {
    const { form: address, uploads, say } = this.#told
    return {
      endpoint: new URL(uploads, location.href).href,
      metadata: { form: address, token, name: this.file.name },
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_MS,
      // Nothing of what was sent from here stays in the browser.
      storeFingerprintForResuming: false,
      onProgress: (sent: number, all: number) => {
        this.#progress.value = Math.floor((sent / Math.max(all, 1)) * 100)
        this.#progress.setAttribute('aria-label', say.sending ?? '')
        this.#say(say.sending)
      },
      onShouldRetry: ({ originalResponse }: TusError) => {
        const status = originalResponse?.getStatus() ?? 0
        const isAgain = status === 0 || status === 409 || status === 423 || (status >= 500 && status !== 507)
        if (isAgain) this.#say(say.paused)
        return isAgain
      },
      onError: ({ originalResponse }: TusError) => {
        const body = originalResponse?.getBody() ?? ''
        if (originalResponse && originalResponse.getStatus() < 500) this.#upload = undefined
        this.#settle?.reject(new Error(/^[^<]{1,500}$/.test(body) ? body : (say.failed ?? '')))
      },
      onSuccess: () => this.#settle?.resolve(this.#upload?.url?.split('/').at(-1) ?? ''),
    }
  }

  /** Asks what has become of it, until it is known. */
  async #wait(id: string): Promise<void> {
    for (;;) {
      const answer = await fetch(`${this.#told.uploads}/${id}/state`).catch(() => undefined)
      if (answer && answer.status < 500) {
        const { state, problem } = (await answer.json().catch(() => ({}))) as {
          state?: string
          problem?: string
        }
        if (state === 'ready') return
        if (state === 'refused' || !answer.ok) {
          this.#upload = undefined
          throw new Error(problem ?? this.#told.say.failed)
        }
      }
      if (this.state === 'gone') throw new Error(this.#told.say.failed)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  #describe(): void {
    const name = this.element.querySelector('.file-head strong')
    const facts = this.element.querySelector('.file-head .facts')
    if (name) name.textContent = this.file.name
    if (facts) facts.textContent = `${this.file.type} · ${sizeText(this.file.size)}`
    const input = this.element.querySelector<HTMLInputElement>('input[name$="-name"]')
    // The name of a picture can tell when it was taken; that of a document is what it is known by.
    if (input && !/^(?:image|audio|video)\//.test(this.file.type)) input.value = this.file.name
    void this.#preview().catch(() => undefined)
  }

  /** A small picture, drawn from the file; what the browser cannot open has none. */
  async #preview(): Promise<void> {
    if (!/^image\/(?!svg)/.test(this.file.type)) return
    const bitmap = await createImageBitmap(this.file)
    const scale = Math.min(1, PREVIEW_SIDE / Math.max(bitmap.width, bitmap.height))
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(bitmap.width * scale))
    canvas.height = Math.max(1, Math.round(bitmap.height * scale))
    canvas.setAttribute('aria-hidden', 'true')
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    bitmap.close()
    this.#shown?.remove()
    this.#shown = canvas
    this.element.querySelector('.file-head')?.prepend(canvas)
  }

  #offerHiding(): void {
    const button = this.#button(this.#told.say.hide ?? '')
    button.addEventListener('click', () => {
      void this.#hide()
        .catch(() => this.#say(this.#told.faces.failed))
        .then(() => button.focus())
    })
  }

  async #hide(): Promise<void> {
    const { hideFaces } = (await import(this.#told.hideFaces)) as { hideFaces: typeof HideFaces }
    const hidden = await hideFaces(this.file, this.#told.faces)
    if (!hidden) return
    this.file = hidden.file
    this.#describe()
    this.#say((this.#told.say.hidden ?? '').replace('{count}', String(hidden.count)))
  }

  #offerAgain(tus: Tus, token: string): void {
    this.#tools.replaceChildren()
    this.#button(this.#told.say.retry ?? '').addEventListener('click', () => void this.send(tus, token))
  }

  #button(text: string): HTMLButtonElement {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'quiet'
    button.textContent = text
    this.#tools.append(button)
    return button
  }

  /** A row that this script has made goes at once. */
  #takeOut(): void {
    const next = this.element.nextElementSibling ?? this.element.closest('.files')
    this.element.remove()
    this.state = 'gone'
    this.#settle?.reject(new Error(this.#told.say.failed))
    void this.#upload?.abort(true).catch(() => undefined)
    next?.querySelector<HTMLElement>('textarea, input[type="file"]')?.focus()
  }

  /** Only a change is written: programs that read pages aloud say it then. */
  #say(text = ''): void {
    if (this.#status.textContent !== text) this.#status.textContent = text
  }
}

function prepare(
  field: HTMLFieldSetElement,
  editor: HTMLFormElement,
  { chooser: input, list: rowList, template: blank }: Parts,
): void {
  const told = JSON.parse(field.dataset.script ?? '{}') as Told
  const rows: Row[] = []
  let count = rowList.children.length
  const add = field.querySelector<HTMLButtonElement>('button[value="add"]')
  if (add) add.textContent = told.say.send ?? ''
  const drop = document.createElement('p')
  drop.className = 'hint'
  drop.textContent = told.say.drop ?? ''
  const heard = document.createElement('p')
  heard.className = 'status'
  heard.setAttribute('role', 'status')
  input.after(drop)
  add?.after(heard)

  const take = (files: Iterable<File>) => {
    for (const file of files) {
      if (rowList.children.length >= told.most) break
      count += 1
      const element = numbered(blank, count)
      if (!element) return
      rowList.append(element)
      rows.push(new Row(file, element, told))
    }
    // Else the form would bring them once more.
    input.value = ''
    heard.textContent = ''
  }
  input.addEventListener('change', () => take([...(input.files ?? [])]))
  field.addEventListener('dragover', (event) => {
    event.preventDefault()
    field.classList.add('over')
  })
  field.addEventListener('dragleave', () => field.classList.remove('over'))
  field.addEventListener('drop', (event) => {
    event.preventDefault()
    field.classList.remove('over')
    take([...(event.dataTransfer?.files ?? [])])
  })

  const sendAll = async (): Promise<boolean> => {
    const tus = await loadTus(told.tus)
    const token = editor.querySelector<HTMLInputElement>('input[name="token"]')?.value ?? ''
    for (const row of rows) await row.send(tus, token)
    return rows.every(({ state }) => state === 'ready' || state === 'gone')
  }
  let sending = false
  editor.addEventListener('submit', (event) => {
    const { submitter } = event
    const isAdding = submitter instanceof HTMLButtonElement && submitter.value === 'add'
    const isWaiting = rows.some(({ state }) => state === 'waiting' || state === 'sending')
    if (!isAdding && !isWaiting) return
    event.preventDefault()
    event.stopImmediatePropagation()
    if (sending) return
    sending = true
    void sendAll()
      .catch(() => false)
      .then((isDone) => {
        sending = false
        heard.textContent = isDone && rows.length > 0 ? (told.say.allSent ?? '') : ''
        if (isDone && !isAdding) editor.requestSubmit(submitter)
      })
  })
  // Where the browser brings back what was chosen before the page was left.
  if (input.files && input.files.length > 0) take([...input.files])
}

/** The row of the page's template with a number of its own. */
function numbered(blank: HTMLTemplateElement, number: number): HTMLLIElement | undefined {
  const row = (blank.content.cloneNode(true) as DocumentFragment).querySelector('li')
  if (!row) return undefined
  for (const element of row.querySelectorAll('*')) {
    for (const attribute of ['id', 'name', 'for', 'aria-describedby']) {
      const value = element.getAttribute(attribute)
      if (value) element.setAttribute(attribute, value.replaceAll('file-0', `file-${number}`))
    }
  }
  const place = row.querySelector<HTMLInputElement>('input[type="number"]')
  if (place) place.value = String(number)
  return row
}

let loading: Promise<Tus> | undefined

/** Loads the library when the first file is sent. */
function loadTus(address: string): Promise<Tus> {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = address
    script.addEventListener('load', () => resolve((globalThis as unknown as { tus: Tus }).tus))
    script.addEventListener('error', () => {
      loading = undefined
      reject(new Error('the program that sends files could not be loaded'))
    })
    document.head.append(script)
  })
  return loading
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte']

/** A number of bytes as people read it. */
function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  const format = new Intl.NumberFormat(document.documentElement.lang, {
    style: 'unit',
    unit: UNITS[power] ?? 'byte',
    maximumFractionDigits: power > 1 ? 1 : 0,
  })
  return format.format(bytes / 1000 ** power)
}

// When everything above is there.
if (fieldset && form && chooser && list && template) prepare(fieldset, form, { chooser, list, template })
