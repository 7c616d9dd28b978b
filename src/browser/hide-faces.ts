/**
 * Lets a person cover faces in a picture before it is sent: ovals and rectangles that are drawn over it become a few large
 * blocks of one colour each. All of it is done here, on the person's own device; what was below is not in the new file.
 */

export type Messages = Readonly<Record<string, string>>

interface Area {
  shape: 'oval' | 'rectangle'
  /** Parts of the picture's width and height, from 0 to 1. */
  x: number
  y: number
  width: number
  height: number
  button: HTMLButtonElement
}

/** Browsers on telephones make no larger canvas. */
const MOST_PIXELS = 16_000_000
/** So few blocks along the longer side of an area that no face is left in them. */
const BLOCKS = 6
/** Colours are rounded to steps of this, so that a block says little of what it was made of. */
const COLOUR_STEP = 16
const SMALLEST = 0.01
const STEP = 0.01
/** Where the arrow keys lead, right and down. */
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
}

/**
 * Shows the picture to draw on, and makes the new one.
 *
 * @returns undefined when nothing was hidden
 * @throws when the browser cannot open the picture
 */
export async function hideFaces(
  file: File,
  say: Messages,
): Promise<{ file: File; count: number } | undefined> {
  const canvas = await canvasOf(file)
  const dialog = new Dialog(canvas, say)
  const areas = await dialog.ask()
  if (areas.length === 0) return undefined
  for (const area of areas) cover(canvas, area)
  const type = file.type === 'image/png' ? 'image/png' : 'image/jpeg'
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.92))
  if (!blob) throw new Error('the browser made no picture')
  const name = type === file.type ? file.name : `${file.name.replace(/\.[^.]*$/, '')}.jpg`
  return { file: new File([blob], name, { type }), count: areas.length }
}

async function canvasOf(file: File): Promise<HTMLCanvasElement> {
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (bitmap.width * bitmap.height)))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  contextOf(canvas).drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  bitmap.close()
  return canvas
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) throw new Error('the browser has no canvas')
  return context
}

/** Puts large blocks over an area; each has the mean colour of what it covers. */
function cover(canvas: HTMLCanvasElement, { shape, x, y, width, height }: Area): void {
  const context = contextOf(canvas)
  const left = Math.floor(x * canvas.width)
  const top = Math.floor(y * canvas.height)
  const right = Math.min(canvas.width, Math.ceil((x + width) * canvas.width))
  const bottom = Math.min(canvas.height, Math.ceil((y + height) * canvas.height))
  const side = Math.max(8, Math.ceil(Math.max(right - left, bottom - top) / BLOCKS))
  for (let blockTop = top; blockTop < bottom; blockTop += side) {
    for (let blockLeft = left; blockLeft < right; blockLeft += side) {
      const block = {
        left: blockLeft,
        top: blockTop,
        width: Math.min(side, right - blockLeft),
        height: Math.min(side, bottom - blockTop),
      }
      if (shape === 'oval' && !touches(block, { left, top, right, bottom })) continue
      const { data } = context.getImageData(block.left, block.top, block.width, block.height)
      context.fillStyle = meanOf(data)
      context.fillRect(block.left, block.top, block.width, block.height)
    }
  }
}

/** Whether any of a block is within the oval of a box. */
function touches(
  block: { left: number; top: number; width: number; height: number },
  box: { left: number; top: number; right: number; bottom: number },
): boolean {
  const [centreX, centreY] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2]
  const nearX = Math.min(Math.max(centreX, block.left), block.left + block.width) - centreX
  const nearY = Math.min(Math.max(centreY, block.top), block.top + block.height) - centreY
  return (nearX / (box.right - centreX)) ** 2 + (nearY / (box.bottom - centreY)) ** 2 <= 1
}

function meanOf(data: Uint8ClampedArray): string {
  const sums = [0, 0, 0]
  for (let at = 0; at < data.length; at += 4)
    for (const channel of [0, 1, 2]) sums[channel] = (sums[channel] ?? 0) + (data[at + channel] ?? 0)
  const rounded = sums.map((sum) => Math.round(sum / (data.length / 4) / COLOUR_STEP) * COLOUR_STEP)
  return `rgb(${rounded.join(' ')})`
}

/** The picture, the areas on it, and how to make them: with a pointer or with the keyboard. */
class Dialog {
  readonly #say: Messages
  readonly #dialog = document.createElement('dialog')
  readonly #stage = document.createElement('div')
  readonly #areas: Area[] = []
  readonly #shape: HTMLInputElement

  constructor(canvas: HTMLCanvasElement, say: Messages) {
    this.#say = say
    const oval = radio('oval', say.oval ?? '', true)
    this.#shape = oval.input
    const shape = document.createElement('span')
    shape.setAttribute('role', 'radiogroup')
    shape.setAttribute('aria-label', say.shape ?? '')
    shape.className = 'tools'
    shape.append(oval.label, radio('rectangle', say.rectangle ?? '', false).label)
    canvas.setAttribute('role', 'img')
    canvas.setAttribute('aria-label', say.picture ?? '')
    this.#stage.className = 'stage'
    // As large as there is room, and never of another shape than the picture: areas are parts of it.
    const scale = Math.min(1, (innerHeight * 0.55) / canvas.height)
    this.#stage.style.width = `min(100%, ${Math.round(canvas.width * scale)}px)`
    this.#stage.append(canvas)
    this.#stage.addEventListener('pointerdown', (event) => this.#draw(event))
    const title = element('h2', say.title ?? '')
    title.id = 'faces-title'
    const tools = document.createElement('div')
    tools.className = 'tools'
    tools.append(
      shape,
      this.#button(say.add ?? '', () => this.#addInMiddle()),
      this.#button(say.undo ?? '', () => this.#remove(this.#areas.at(-1))),
    )
    const end = document.createElement('p')
    end.className = 'tools'
    const done = this.#button(say.done ?? '', () => this.#dialog.close('done'))
    done.className = ''
    end.append(
      done,
      this.#button(say.cancel ?? '', () => this.#dialog.close('cancel')),
    )
    this.#dialog.className = 'faces'
    this.#dialog.setAttribute('aria-labelledby', title.id)
    this.#dialog.append(
      title,
      element('p', say.how ?? ''),
      tools,
      this.#stage,
      element('p', say.keys ?? '', 'hint'),
      end,
    )
  }

  /** What was drawn when it is closed by its button; nothing otherwise. */
  ask(): Promise<Area[]> {
    document.body.append(this.#dialog)
    this.#dialog.showModal()
    return new Promise((resolve) => {
      this.#dialog.addEventListener('close', () => {
        this.#dialog.remove()
        resolve(this.#dialog.returnValue === 'done' ? this.#areas : [])
      })
    })
  }

  #button(text: string, press: () => void): HTMLButtonElement {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'quiet'
    button.textContent = text
    button.addEventListener('click', press)
    return button
  }

  #addInMiddle(): void {
    this.#add({ x: 0.4, y: 0.4, width: 0.2, height: 0.2 }).button.focus()
  }

  #add(box: Pick<Area, 'x' | 'y' | 'width' | 'height'>): Area {
    const button = document.createElement('button')
    button.type = 'button'
    const shape = this.#shape.checked ? 'oval' : 'rectangle'
    button.className = `area ${shape}`
    const area: Area = { shape, ...box, button }
    this.#areas.push(area)
    button.addEventListener('pointerdown', (event) => this.#move(event, area))
    button.addEventListener('keydown', (event) => this.#key(event, area))
    this.#stage.append(button)
    this.#place(area)
    this.#name()
    return area
  }

  #remove(area: Area | undefined): void {
    if (!area) return
    this.#areas.splice(this.#areas.indexOf(area), 1)
    area.button.remove()
    this.#name()
    this.#areas.at(-1)?.button.focus()
  }

  #name(): void {
    for (const [index, { button }] of this.#areas.entries())
      button.setAttribute('aria-label', (this.#say.area ?? '').replace('{count}', String(index + 1)))
  }

  /** Keeps an area within the picture, and shows it where it is. */
  #place(area: Area): void {
    area.width = Math.min(1, Math.max(SMALLEST, area.width))
    area.height = Math.min(1, Math.max(SMALLEST, area.height))
    area.x = Math.min(1 - area.width, Math.max(0, area.x))
    area.y = Math.min(1 - area.height, Math.max(0, area.y))
    const { style } = area.button
    style.left = `${area.x * 100}%`
    style.top = `${area.y * 100}%`
    style.width = `${area.width * 100}%`
    style.height = `${area.height * 100}%`
  }

  /** Where a pointer is, in parts of the picture. */
  #at(event: PointerEvent): { x: number; y: number } {
    const box = this.#stage.getBoundingClientRect()
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height }
  }

  #draw(event: PointerEvent): void {
    if (event.button !== 0 || event.target instanceof HTMLButtonElement) return
    event.preventDefault()
    const from = this.#at(event)
    const area = this.#add({ ...from, width: SMALLEST, height: SMALLEST })
    this.#follow(
      event,
      (to) => {
        area.x = Math.max(0, Math.min(from.x, to.x))
        area.y = Math.max(0, Math.min(from.y, to.y))
        area.width = Math.min(1, Math.max(from.x, to.x)) - area.x
        area.height = Math.min(1, Math.max(from.y, to.y)) - area.y
      },
      area,
    )
  }

  #move(event: PointerEvent, area: Area): void {
    if (event.button !== 0) return
    const from = this.#at(event)
    const { x, y } = area
    this.#follow(
      event,
      (to) => {
        area.x = x + to.x - from.x
        area.y = y + to.y - from.y
      },
      area,
    )
  }

  #follow(event: PointerEvent, change: (to: { x: number; y: number }) => void, area: Area): void {
    const stage = this.#stage
    stage.setPointerCapture(event.pointerId)
    const moved = (next: PointerEvent) => {
      change(this.#at(next))
      this.#place(area)
    }
    const ended = () => {
      stage.removeEventListener('pointermove', moved)
      area.button.focus()
    }
    stage.addEventListener('pointermove', moved)
    stage.addEventListener('lostpointercapture', ended, { once: true })
  }

  #key(event: KeyboardEvent, area: Area): void {
    const [right, down] = ARROWS[event.key] ?? [0, 0]
    if (event.key === 'Delete' || event.key === 'Backspace') this.#remove(area)
    else if (right === 0 && down === 0) return
    else if (event.shiftKey) {
      area.width += right
      area.height += down
    } else {
      area.x += right
      area.y += down
    }
    event.preventDefault()
    this.#place(area)
  }
}

function element(tag: 'h2' | 'p', text: string, className = ''): HTMLElement {
  const made = document.createElement(tag)
  made.textContent = text
  made.className = className
  return made
}

function radio(
  value: string,
  text: string,
  isChosen: boolean,
): { label: HTMLLabelElement; input: HTMLInputElement } {
  const input = document.createElement('input')
  input.type = 'radio'
  input.name = 'faces-shape'
  input.value = value
  input.checked = isChosen
  const label = document.createElement('label')
  label.append(input, text)
  return { label, input }
}
