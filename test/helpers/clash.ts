import { formFields, openEdit, publish, saveEdit } from './forms.ts'
import type { Published } from './forms.ts'
import type { TestNode } from './node.ts'

const BODY = 'The bridge was closed at dawn.\n\nNobody knew.\n\nThe council meets on Thursday.'

/** An article that two people edited at once, in ways that cannot both stand. */
export async function makeClash(node: TestNode): Promise<Published> {
  const article = await publish(node, { title: 'Bridge closed', body: BODY, tags: 'transport' })
  const [one, two] = [await openEdit(node, article), await openEdit(node, article)]
  const earlier = BODY.replace('at dawn', 'at five').replace('Thursday', 'Friday, in the school')
  await saveEdit(node, article, one, { body: earlier })
  const later = BODY.replace('at dawn', 'in the night').replace('Thursday', 'Wednesday')
  await saveEdit(node, article, two, { body: later })
  return article
}

/** The choices that stand in a page, without those of radio buttons that are not pressed. */
export function chosenIn(html: string): Record<string, string> {
  const fields = formFields(html)
  for (const [, name = '', value = ''] of html.matchAll(
    /<input type="radio" name="([^"]*)" value="([^"]*)" checked>/g,
  ))
    fields[name] = value
  return fields
}
