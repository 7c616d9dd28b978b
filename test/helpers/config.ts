import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { testFolder } from './folder.ts'
import { startNode } from './node.ts'
import type { TestNode } from './node.ts'

/** Starts a node with settings from its first start on. */
export async function startNodeWith(t: ExecutionContext, yaml: string): Promise<TestNode> {
  const file = join(await testFolder(t), 'config.yaml')
  await writeFile(file, yaml)
  return startNode(t, { HYPERACTIVE_CONFIG: file })
}
