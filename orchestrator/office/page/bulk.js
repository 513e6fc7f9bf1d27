// Many orders confirmed or canceled together, each with its own answer.
import { html, useEffect, useRef, useState } from './vendor/htm-preact.js'
import { api } from './client.js'
import { explain, isUnknown } from './errors.js'
import { Dialog, Form, Reason, useDraft } from './form.js'
import { at } from './router.js'
import { count, t } from './words.js'

const together = 4

/**
 * Asks first, then works through the orders, and shows what became of each. Orders without an answer can be sent again, with
 * their keys of before. The work ends with the dialog; answers that come later are told by onStale.
 * @param {{ action: 'confirm' | 'cancel', orders: { id: number }[], more?: boolean, onClose: () => void, onStale: () => void }} props
 * more: the filter has more orders than these
 */
export function Bulk({ action, orders, more, onClose, onStale }) {
  const draft = useDraft('bulk', { reason: '' })
  const [answers, setAnswers] = useState(/** @type {Map<number, { says: string, look: string }>} */ (new Map()))
  const [phase, setPhase] = useState(/** @type {'asking' | 'working' | 'done'} */ ('asking'))
  const stopped = useRef(false)
  const confirming = action === 'confirm'

  const one = async id => {
    const idempotencyKey = `${draft.key}-${id}`
    try {
      const reason = draft.values.reason.trim()
      if (confirming) await api.confirmOrder({ id }, { idempotencyKey })
      else await api.cancelOrder({ id, ...(reason && { reason }) }, { idempotencyKey })
      return { says: confirming ? t('confirmed') : t('canceled'), look: 'good' }
    } catch (error) {
      return isUnknown(error) ? { says: t('Not known yet.'), look: 'unknown' } : { says: explain(error).join(' '), look: 'bad' }
    }
  }
  const work = async ids => {
    setPhase('working')
    const waiting = [...ids]
    await Promise.all(Array.from({ length: together }, async () => {
      for (let id = waiting.shift(); id !== undefined && !stopped.current; id = waiting.shift()) {
        const answer = await one(id), at = id
        setAnswers(before => new Map(before).set(at, answer))
      }
    }))
    if (stopped.current) onStale()
    else setPhase('done')
  }
  useEffect(() => () => { stopped.current = true; draft.forget() }, [])
  const unknown = orders.filter(({ id }) => answers.get(id)?.look === 'unknown')
  const good = [...answers.values()].filter(({ look }) => look === 'good').length
  const title = confirming ? count(orders.length, 'Confirm 1 order', 'Confirm {n} orders') : count(orders.length, 'Cancel 1 order', 'Cancel {n} orders')
  return html`<${Dialog} title=${title} onClose=${onClose}>
    ${phase === 'asking' && html`<${Form} label=${title} onSend=${() => work(orders.map(({ id }) => id))}>
      ${more && html`<p>${t('There are more: open this again for the next ones.')}</p>`}
      ${!confirming && html`<${Reason} many value=${draft.values.reason} onInput=${reason => draft.change({ reason })} />`}
      <p class="buttons"><button class="first" disabled=${!orders.length}>${title}</button><button type="button" autofocus=${confirming} onClick=${onClose}>${t('Close')}</button></p>
    <//>`}
    ${phase !== 'asking' && html`<p role="status">${t('{done} of {all} done', { done: good, all: orders.length })}</p>
      <progress max=${orders.length} value=${answers.size} aria-label=${title}></progress>
      <ul class="answers">${orders.map(({ id }) => html`<li key=${id} class=${answers.get(id)?.look}><a href=${at(`orders/${id}`)}>#${id}</a> ${answers.get(id)?.says ?? '…'}</li>`)}</ul>
      <p class="buttons">
        ${phase === 'done' && unknown.length > 0 && html`<button type="button" onClick=${() => work(unknown.map(({ id }) => id))}>${t('Send again what is not known')}</button>`}
        <button type="button" onClick=${onClose}>${phase === 'done' ? t('Close') : t('Stop')}</button></p>`}
  <//>`
}
