/** Keys in the queue, while one of its boxes has the focus: j and k go to the next and the one before, x ticks. */

const boxes = [...document.querySelectorAll<HTMLInputElement>('.queue input[type="checkbox"]')]

document.addEventListener('keydown', (event) => {
  const at = boxes.findIndex((box) => box === document.activeElement)
  if (at === -1 || event.ctrlKey || event.altKey || event.metaKey) return
  if (event.key === 'j') boxes[at + 1]?.focus()
  else if (event.key === 'k') boxes[at - 1]?.focus()
  else if (event.key === 'x') boxes[at]?.click()
})
