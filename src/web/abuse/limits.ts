import type { AbuseSettings } from '../../config/abuse.ts'
import { Budget, Budgets } from '../budget.ts'

/** What readers and authors send, as far as it is limited. */
export type Activity = 'publish' | 'edit' | 'comment' | 'report' | 'upload'

const HOUR_MS = 3_600_000
/** Items whose own budgets are remembered. */
const ITEMS = 10_000
/** Below this part of a budget the node is busy. */
const BUSY = 0.5

/** The budgets of a node. Nobody's name or address stands beside them: what is counted is what is done. */
export class Limits {
  readonly #on: boolean
  readonly #whole: Readonly<Record<Activity, Budget>>
  readonly #onItem: Readonly<Partial<Record<Activity, Budgets>>>

  constructor(settings: AbuseSettings) {
    const { publish, edit, comment, report, upload, editsOfItem, commentsOnItem } = settings
    this.#on = settings.limits === 'on'
    this.#whole = {
      publish: budgetOf(publish),
      edit: budgetOf(edit),
      comment: budgetOf(comment),
      report: budgetOf(report),
      upload: budgetOf(upload),
    }
    this.#onItem = {
      edit: new Budgets(() => budgetOf(editsOfItem), ITEMS),
      comment: new Budgets(() => budgetOf(commentsOnItem), ITEMS),
    }
  }

  /** Whether less than half is left. */
  isBusy(activity: Activity, item?: string, nowMs = Date.now()): boolean {
    const whole = this.#whole[activity].share(nowMs)
    return this.#on && Math.min(whole, this.#known(activity, item)?.share(nowMs) ?? 1) < BUSY
  }

  /** How long until it may be done, and whether it is the item that has to wait. */
  wait(activity: Activity, item?: string, nowMs = Date.now()): { waitMs: number; forItem: boolean } {
    if (!this.#on) return { waitMs: 0, forItem: false }
    const wholeMs = this.#whole[activity].waitMs(nowMs)
    const itemMs = this.#known(activity, item)?.waitMs(nowMs) ?? 0
    return { waitMs: Math.max(wholeMs, itemMs), forItem: itemMs > wholeMs }
  }

  /**
   * Counts that it is done.
   *
   * @returns takes that back
   */
  take(activity: Activity, item?: string, nowMs = Date.now()): () => void {
    if (!this.#on) return () => undefined
    const whole = this.#whole[activity]
    const onItem = item === undefined ? undefined : this.#onItem[activity]?.of(item)
    whole.take(activity, nowMs)
    onItem?.take(activity, nowMs)
    return () => {
      whole.giveBack()
      onItem?.giveBack()
    }
  }

  /** Looking makes no budget, so that nobody gets an item's forgotten by looking at many others. */
  #known(activity: Activity, item?: string): Budget | undefined {
    return item === undefined ? undefined : this.#onItem[activity]?.known(item)
  }
}

function budgetOf({ atOnce, perHour }: AbuseSettings['publish']): Budget {
  return new Budget(atOnce, HOUR_MS / perHour)
}
