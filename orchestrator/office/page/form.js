// Forms: a draft with the key of its one effect, sending until an answer comes, dialogs, and edits that met another's.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/htm-preact.js'
import { api } from './client.js'
import { isUnknown } from './errors.js'
import { begin } from './focus.js'
import { at } from './router.js'
import { Problem } from './table.js'
import { t } from './words.js'

/** Returns 128 random bits; crypto.randomUUID is there with TLS only. */
export const random = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')

/**
 * A form's values, and the key of its effect. Both are in the tab's storage from the moment at which the form opens, so
 * that a reload, a double click or a second try never has a second effect.
 * @template T
 * @param {string} name
 * @param {T} initial
 */
export function useDraft(name, initial) {
  const place = 'office.form.' + name
  const forgotten = useRef(false)
  const fresh = () => ({ values: initial, key: 'office-' + random(), sent: false })
  const keep = draft => {
    if (!forgotten.current) sessionStorage.setItem(place, JSON.stringify(draft))
    return draft
  }
  const [draft, setDraft] = useState(() => {
    const kept = sessionStorage.getItem(place)
    return kept ? /** @type {{ values: T, key: string, sent: boolean }} */ (JSON.parse(kept)) : keep(fresh())
  })
  const now = useRef(draft)
  const set = next => { setDraft(now.current = keep(next)) }
  return {
    ...draft,
    /** Sets some of the values, or what a function makes of those of now. @param {Partial<T> | ((now: T) => Partial<T>)} values */
    change: values => set({ ...now.current, values: { ...now.current.values, ...(typeof values === 'function' ? values(now.current.values) : values) } }),
    /**
     * Notes whether the form may have an effect that is not known. A form kept since is left as it is.
     * @param {boolean} sent
     */
    note: sent => {
      const kept = JSON.parse(sessionStorage.getItem(place) ?? '{}')
      if (kept.key === now.current.key) set({ ...kept, sent })
    },
    /** Begins a new form, with a new key. */
    renew: () => set(fresh()),
    /** Forgets the form, and what its fields say while they are removed: the next one is new. */
    forget: () => { forgotten.current = true; sessionStorage.removeItem(place) },
  }
}

/** @typedef {{ phase: 'ready' | 'sending' | 'unknown' | 'refused', error?: any }} Sending */

/**
 * Sends a form until it is known what became of it: without an answer it says so, and sends it again, with the same
 * key. A second call of send, while the first goes on, does nothing.
 * @template R
 * @param {(key: string) => Promise<R>} act null when there was nothing to send
 * @param {{ key: string, sent?: boolean, note: (sent: boolean) => void }} draft
 * @param {(result: R) => void} done
 */
export function useSend(act, draft, done) {
  const [state, setState] = useState(/** @type {Sending} */ ({ phase: 'ready' }))
  const busy = useRef(false), gone = useRef(false)
  const latest = useRef({ act, done })
  latest.current = { act, done }
  const wake = useRef(() => {})
  useEffect(() => () => { gone.current = true; wake.current() }, [])
  async function send() {
    if (busy.current) return
    busy.current = true
    let { sent = false } = draft // a refusal says nothing of what was sent before, and had no answer
    draft.note(true)
    const { act: first } = latest.current // what is sent again is what was sent
    setState({ phase: 'sending' })
    while (!gone.current) {
      try {
        const result = await first(draft.key)
        busy.current = false
        if (result === null) draft.note(sent)
        if (gone.current) return
        setState({ phase: 'ready' })
        latest.current.done(result)
        return
      } catch (error) {
        if (!isUnknown(error)) {
          busy.current = false
          if (/** @type {any} */ (error).status >= 400) draft.note(sent)
          setState({ phase: 'refused', error })
          return
        }
        sent = true
        setState({ phase: 'unknown', error })
        await new Promise(resolve => { wake.current = () => resolve(null); setTimeout(resolve, 3000) })
      }
    }
  }
  return { ...state, send, now: () => wake.current(), clear: () => setState({ phase: 'ready' }) }
}

/**
 * Says under a form how its sending stands.
 * @param {{ sending: ReturnType<typeof useSend>, draft?: { key: string, sent: boolean, renew: () => void } }} props
 */
export function Outcome({ sending, draft }) {
  const { phase, error, now } = sending
  if (phase === 'sending') return html`<p class="outcome" role="status">${t('Sending …')}</p>`
  if (phase === 'unknown') return html`<div class="outcome problem" role="alert">
    <p><strong>${t('Not known yet.')}</strong> ${t('No answer came. It is sent again, with the same key: nothing is done twice.')}</p>
    <p><button type="button" onClick=${now}>${t('Send again now')}</button></p>
  </div>`
  if (phase === 'refused' && error.code === 'idempotency_key_reused' && draft) {
    const renew = event => {
      draft.renew()
      sending.clear()
      begin(event.target.form?.querySelector('input'))
    }
    return html`<${Earlier} draft=${draft} onRenew=${renew} />`
  }
  if (phase === 'refused') return html`<${Problem} error=${error} />`
  if (draft?.sent) return html`<p class="outcome" role="status">${t('This form was sent before, and it is not known what became of it. Send it again: nothing is done twice.')}</p>`
  return null
}

/**
 * Says what the key of a form has done, when the form was changed after it was sent.
 * @param {{ draft: { key: string }, onRenew: (event: any) => void }} props
 */
function Earlier({ draft, onRenew }) {
  const [order, setOrder] = useState(/** @type {number | null} */ (null))
  useEffect(() => {
    api.findIdempotencyKey({ key: draft.key }).then(({ data }) => setOrder(data.operations.find(o => o.order_id)?.order_id ?? null), () => {})
  }, [draft.key])
  return html`<div class="outcome problem" role="alert">
    <p>${t('This form was sent before with other contents, and done.')} ${order && html`<a href=${at(`orders/${order}`)}>${t('Order {id}', { id: order })}</a>`}</p>
    <p><button type="button" onClick=${onRenew}>${t('Begin a new form')}</button></p>
  </div>`
}

/**
 * A field with its label.
 * @param {{ label: string, value: string, onInput: (value: string) => void, hint?: string, class?: string, [attribute: string]: any }} props
 */
export function Field({ label, value, onInput, hint, class: look, ...input }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null))
  useLayoutEffect(() => { if (input.autofocus) begin(field.current) }, []) // the browser waits, and keys would be lost
  return html`<label class=${'field ' + (look ?? '')}><span>${label}</span>
    <input ref=${field} value=${value} onInput=${e => onInput(e.target.value)} autocomplete="off" ...${input} />
    ${hint && html`<small>${hint}</small>`}</label>`
}

/**
 * A form; Enter in a field, and Ctrl-Enter, send it by its first button.
 * @param {{ onSend: (button: HTMLElement | null) => void, label: string, class?: string, children?: any }} props
 */
export function Form({ onSend, label, class: look, children }) {
  const submit = event => { event.preventDefault(); onSend(event.submitter) }
  return html`<form class=${look} aria-label=${label} onSubmit=${submit} novalidate>${children}</form>`
}

/**
 * A button that keeps the focus while it is off: a disabled one would lose it.
 * @param {{ off?: boolean, onClick: () => void, children?: any, [attribute: string]: any }} props
 */
export const Button = ({ off, onClick, children, ...rest }) =>
  html`<button type="button" aria-disabled=${off ? 'true' : undefined} onClick=${off ? undefined : onClick} ...${rest}>${children}</button>`

/**
 * Asks why something is canceled. Enter sends it only with a reason that was written since the form opened, since the press
 * that has opened it may come twice. With many, Enter goes to the button.
 * @param {{ value: string, onInput: (value: string) => void, many?: boolean }} props
 */
export function Reason({ value, onInput, many }) {
  const [written, write] = useState(false)
  const [asked, ask] = useState(false)
  const given = value.trim()
  const keys = event => {
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey || given && written && !many) return
    event.preventDefault()
    if (given && written) event.target.form.querySelector('button').focus()
    else ask(true)
  }
  return html`<${Field} label=${t('Reason (optional)')} value=${value} maxlength="255" autofocus onInput=${text => { write(true); onInput(text) }} onKeyDown=${keys}
      hint=${t('The order shows it to everybody who sees the order.')} />
    <p class="soon" role="alert">${asked && !(given && written) && (given ? t('With this reason? Ctrl-Enter cancels, or the button.') : t('Without a reason? Ctrl-Enter cancels, or the button.'))}</p>`
}

/** A dialog above the page; Esc closes it. @param {{ title: string, onClose: () => void, children?: any }} props */
export function Dialog({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null))
  useLayoutEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => queueMicrotask(() => { // once the dialog is gone: until then nothing else takes the focus
      if (before instanceof HTMLElement) before.focus()
    })
  }, [])
  return html`<dialog ref=${dialog} onClose=${onClose} aria-labelledby="dialog-title">
    <h2 id="dialog-title">${title}</h2>${children}
  </dialog>`
}

/**
 * Shows an edit beside what somebody else has made of the thing meanwhile.
 * @param {{ fields: { name: string, mine: string, theirs: string }[], keepMine: () => void, takeTheirs: () => void }} props
 */
export function Conflict({ fields, keepMine, takeTheirs }) {
  return html`<div class="problem" role="alert">
    <p>${t('Somebody has changed it meanwhile. Nothing of yours is saved yet.')}</p>
    <table class="versions">
      <thead><tr><td></td><th scope="col">${t('Mine')}</th><th scope="col">${t('Theirs')}</th></tr></thead>
      <tbody>${fields.map(({ name, mine, theirs }) => html`<tr class=${mine === theirs ? '' : 'differs'}>
        <th scope="row">${name}</th><td><bdi>${mine}</bdi></td><td><bdi>${theirs}</bdi></td></tr>`)}</tbody>
    </table>
    <p class="buttons"><button type="button" onClick=${keepMine}>${t('Save mine')}</button>
      <button type="button" onClick=${takeTheirs}>${t('Take theirs')}</button></p>
  </div>`
}

// Ctrl-Enter sends the form in which the cursor is.
addEventListener('keydown', event => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
  const form = event.target instanceof Element ? event.target.closest('form') : null
  if (!form) return
  event.preventDefault()
  form.requestSubmit()
})
