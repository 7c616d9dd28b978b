/** One node keeps up a link to another: it calls, and documents go in the given direction. */
export interface Edge {
  from: string
  to: string
  direction: 'pull' | 'push' | 'both'
}

export interface Topology {
  nodes: string[]
  edges: Edge[]
}

export const TOPOLOGIES = {
  pair: () => mesh(2),
  ring: () => ring(5),
  mesh: () => mesh(5),
  hub: () => hub(5),
} satisfies Record<string, () => Topology>

export type TopologyName = keyof typeof TOPOLOGIES

export function isTopology(name: string): name is TopologyName {
  return Object.hasOwn(TOPOLOGIES, name)
}

export function edgeName({ from, to }: Pick<Edge, 'from' | 'to'>): string {
  return `${from}-${to}`
}

function names(count: number): string[] {
  return ['athens', 'berlin', 'cadiz', 'dublin', 'esbjerg'].slice(0, count)
}

/** Each node fetches from both of its neighbours. */
function ring(count: number): Topology {
  const nodes = names(count)
  const edges = nodes.flatMap((from, index) =>
    [1, count - 1].map((step) => ({
      from,
      to: nodes[(index + step) % count] ?? from,
      direction: 'pull' as const,
    })),
  )
  return { nodes, edges }
}

/** Each node fetches from every other. */
function mesh(count: number): Topology {
  const nodes = names(count)
  const edges = nodes.flatMap((from) =>
    nodes.filter((to) => to !== from).map((to) => ({ from, to, direction: 'pull' as const })),
  )
  return { nodes, edges }
}

/** The first node is called by all others, which fetch and send; it calls nobody. */
function hub(count: number): Topology {
  const nodes = names(count)
  const [center = '', ...others] = nodes
  return { nodes, edges: others.map((from) => ({ from, to: center, direction: 'both' })) }
}
