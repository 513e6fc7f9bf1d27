// A field that finds things while one types: customers, products, or all in the box on top.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/htm-preact.js'
import { explain } from './errors.js'
import { begin } from './focus.js'
import { t } from './words.js'

let ids = 0
/** Returns an id for the elements of one component. */
const useId = () => useState(() => `id${++ids}-`)[0]

/** @typedef {{ value: string, text: string, hint?: string, group?: string, exact?: boolean, thing?: any }} Option */

/**
 * Options come while one types, answers of older texts are dropped. Arrows choose, Enter picks; Enter before the options are there
 * waits for them, and asks again after an error; with next the focus goes on at once, and comes back when it is not sure
 * what was meant, unless it has left the form. An option that is exact, or the only one, is picked without
 * the arrows, with Enter and when the field is left.
 * @param {{
 *   label: string, text: string, onText: (text: string) => void, find: (text: string, signal: AbortSignal) => Promise<Option[]>,
 *   onPick: (option: Option, here: boolean) => void, onPaste?: (event: ClipboardEvent) => void, leave?: boolean, nothing?: string,
 *   next?: () => void, onWait?: (waits: boolean) => void,
 *   unlabeled?: boolean, inputRef?: any, [attribute: string]: any,
 * }} props onPick: here says whether the cursor is still in the field; leave: picks when the field is left; onWait: says whether the field was left before its answer, which then picks; unlabeled: the label is for screen readers alone
 */
export function Combo({ label, text, onText, find, onPick, leave = true, nothing, next, onWait, unlabeled, inputRef, ...input }) {
  const id = useId()
  const [options, setOptions] = useState(/** @type {Option[] | null} */ (null))
  const [active, setActive] = useState(-1)
  const [asked, setAsked] = useState('') // the text that was typed last; '' when there is nothing to ask
  const [error, setError] = useState(/** @type {any} */ (null))
  const [time, setTime] = useState(0)
  const entered = useRef(false), waits = useRef(false) // for an answer
  const root = useRef(/** @type {HTMLElement | null} */ (null))
  const shown = useRef(options) // of this moment: a field may be left before it is drawn again
  shown.current = options

  const answered = () => { waits.current = false; onWait?.(false) }
  const close = () => {
    setOptions(shown.current = null)
    setActive(-1)
    setAsked('')
    entered.current = false
    setError(null)
    answered()
  }
  const isHere = () => root.current?.contains(document.activeElement) ?? false
  /** Returns whether the focus has come back. */
  const comeBack = () => {
    answered()
    if (!next || !entered.current || isHere() || !root.current?.closest('form')?.contains(document.activeElement)) return false
    root.current.querySelector('input')?.focus() // and selects nothing: what is still typed must not replace it
    return true
  }
  const latest = useRef(onPick)
  latest.current = onPick
  const pick = option => {
    const here = isHere()
    close()
    latest.current(option, here)
  }
  const choice = from => {
    const exact = from.filter(option => option.exact)
    return exact.length === 1 ? exact[0] : from.length === 1 ? from[0] : undefined
  }

  useEffect(() => {
    if (!asked.trim()) return
    const stop = new AbortController()
    const timer = setTimeout(() => find(asked.trim(), stop.signal).then(found => {
      if (stop.signal.aborted) return
      const sure = choice(found)
      if (entered.current && sure) return pick(sure)
      const back = comeBack() // then an Enter may be meant for the field that had the focus, and must pick nothing
      if (leave && !isHere()) return sure ? pick(sure) : close()
      setError(null)
      setOptions(found)
      setActive(entered.current && !back && found.length ? 0 : -1)
      entered.current = false
    }, failure => {
      if (stop.signal.aborted) return
      comeBack()
      setError(failure)
    }), entered.current ? 0 : 120)
    return () => { stop.abort(); clearTimeout(timer) }
  }, [asked, time])

  const onKeyDown = event => {
    const n = options?.length ?? 0
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && n) {
      event.preventDefault()
      setActive((active + (event.key === 'ArrowDown' ? 1 : active < 0 ? 0 : -1) + n) % n)
    } else if (event.key === 'Escape' && (options || asked)) {
      event.preventDefault()
      event.stopPropagation()
      close()
      if (!leave) event.target.select() // in the box on top the next search replaces it; elsewhere a word goes on
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && asked.trim()) {
      event.preventDefault()
      const option = options?.[active] ?? (options ? choice(options) : undefined)
      if (option) pick(option)
      else if (options) setActive(n ? 0 : -1)
      else {
        entered.current = true
        if (error) { waits.current = true; setError(null); setTime(time + 1) }
        next?.()
      }
    }
  }
  const onBlur = () => {
    if (!shown.current) return waits.current && onWait?.(true)
    const option = shown.current[active] ?? choice(shown.current)
    if (leave && option) pick(option)
    else close()
  }
  useLayoutEffect(() => { if (input.autofocus) begin(root.current?.querySelector('input')) }, [])
  const open = options !== null && asked !== ''
  return html`<div class="combo" ref=${root}>
    <label class="field"><span class=${unlabeled ? 'unseen' : ''}>${label}</span>
      <input ref=${inputRef} role="combobox" aria-expanded=${open} aria-controls=${id + 'list'} aria-autocomplete="list" autocomplete="off" spellcheck=${false}
        aria-activedescendant=${open && active >= 0 ? id + active : undefined} value=${text} ...${input}
        onInput=${e => { entered.current = false; waits.current = !!e.target.value.trim(); setAsked(e.target.value); setTime(n => n + 1); setOptions(shown.current = null); onText(e.target.value) }}
        onKeyDown=${onKeyDown} onBlur=${onBlur} /></label>
    <ul id=${id + 'list'} role="listbox" aria-label=${label} hidden=${!open || !options?.length}>
      ${open && options?.map((option, i) => html`<li id=${id + i} role="option" aria-selected=${i === active} class=${option.group && option.group !== options[i - 1]?.group ? 'begins' : ''}
          data-group=${option.group} onMouseDown=${e => { e.preventDefault(); pick(option) }}>
        <bdi>${option.text}</bdi> ${option.hint && html`<small><bdi>${option.hint}</bdi></small>`}</li>`)}
    </ul>
    ${open && !options?.length && html`<p class="none" role="status">${nothing ?? t('Nothing found')}</p>`}
    ${error && html`<p class="none" role="status">${explain(error)[0]}</p>`}
  </div>`
}
