import { Command } from 'commander'
import { hasSecondFactor, withoutSecondFactor } from '../accounts/account.ts'
import { findRunningNode } from '../config/data-folder.ts'
import { refuseOnMirror } from '../config/mirror.ts'
import { HyperactiveError } from '../errors.ts'
import { openPeople } from '../people-of-node.ts'
import { openStoreForCommand } from '../store.ts'
import { print, settingsOf, withExamples, withSettings } from './context.ts'

/** `hyperactive account list|set-up|reset` */
export function accountCommand(): Command {
  const command = new Command('account').description('the accounts of the people who moderate and administer')
  const list = withSettings(new Command('list'))
    .description('list the accounts')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      await using store = await openStoreForCommand(settingsOf(list))
      const { people } = await openPeople(store)
      const accounts = (await people.all()).map((account) => {
        const { id, handle, name, roles, totp, passkeys, closed } = account
        const factors = { oneTimeCodes: totp !== undefined, passkeys: passkeys.length }
        return { id, handle, name, roles, secondFactor: hasSecondFactor(account), ...factors, closed }
      })
      const lines = accounts.map(({ handle, roles, oneTimeCodes, passkeys, closed }) => {
        const factors = [
          oneTimeCodes ? 'one-time codes' : '',
          passkeys > 0 ? `${passkeys} ${passkeys === 1 ? 'passkey' : 'passkeys'}` : '',
        ].filter((factor) => factor !== '')
        return [
          handle,
          closed ? 'closed' : roles.join(', ') || 'member',
          factors.length > 0 ? `with ${factors.join(', ')}` : '',
        ].join('  ')
      })
      print(options.json, accounts, lines.join('\n') || 'there are no accounts')
    })
  const setUp = withSettings(new Command('set-up'))
    .description('make a link by which an administrator is made, for when nobody can sign in any more')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const loaded = settingsOf(setUp)
      refuseOnMirror(loaded.config)
      await using store = await openStoreForCommand(loaded)
      const { access } = await openPeople(store)
      const secret = await access.makeLink({ purpose: 'invitation', roles: ['administrator'], groups: [] })
      const link = `${await addressOf(loaded)}/invitation/${secret}`
      print(options.json, { link }, link)
    })
  const reset = withSettings(new Command('reset'))
    .description('make a link by which the owner of an account chooses a new password')
    .argument('<handle>', 'the handle of the account')
    .option('--second-factor', 'take its second factor away as well')
    .option('--json', 'print JSON')
    .action(async (handle: string, options: { secondFactor?: boolean; json?: boolean }) => {
      const loaded = settingsOf(reset)
      await using store = await openStoreForCommand(loaded)
      const { people, access } = await openPeople(store)
      const account = await people.byHandle(handle)
      if (!account || account.closed)
        throw new HyperactiveError('unknown_account', `no account has the handle ${handle}`, { status: 404 })
      if (options.secondFactor) await people.change(account.id, withoutSecondFactor(account))
      const secret = await access.makeLink({ purpose: 'reset', roles: [], groups: [], account: account.id })
      const link = `${await addressOf(loaded)}/new-password/${secret}`
      print(options.json, { link }, link)
    })
  command.addCommand(list).addCommand(withExamples(setUp, 'account set-up'))
  return command.addCommand(withExamples(reset, 'account reset ada', 'account reset ada --second-factor'))
}

/** Where the node of these settings can be reached. */
async function addressOf({ config }: ReturnType<typeof settingsOf>): Promise<string> {
  const running = await findRunningNode(config.data)
  return config.url ?? running?.address ?? `http://${config.host}:${config.port}`
}
