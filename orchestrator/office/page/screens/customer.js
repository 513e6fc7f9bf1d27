// A customer: details, orders, history; and the form of a new customer.
import { html, useState } from '../vendor/htm-preact.js'
import { api, customersOf, forget, learn, may, useLoad } from '../client.js'
import { useCustomerEdit } from '../edit.js'
import { Conflict, Dialog, Field, Form, Outcome, useDraft, useSend } from '../form.js'
import { History } from '../history.js'
import { at, go } from '../router.js'
import { Bar, Listing, Problem, Table } from '../table.js'
import { t } from '../words.js'
import { columns } from './orders.js'

/** @typedef {import('../client.js').Customer} Customer */

/** @param {{ id: number }} props */
export function CustomerScreen({ id }) {
  const customer = useLoad(`customer ${id}`, async signal => {
    try {
      const { data } = await api.getCustomer({ id }, { signal })
      learn(data)
      return data
    } catch (/** @type {any} */ error) {
      if (error.status !== 404) throw error
      forget(id) // it may be known as it was before it was deleted
      const deleted = (await customersOf([id], signal)).get(id)
      if (!deleted) throw error
      return deleted
    }
  })
  const orders = useLoad(`orders of ${id}`, async signal => {
    const { data, meta } = await api.listOrders({ customer_id: id, sort: '-created_at', limit: 20 }, { signal })
    return { data, meta: { nextCursor: null }, more: meta.nextCursor !== null }
  })
  const data = customer.data
  return html`<${Bar} loading=${customer.loading} />
    ${customer.error && html`<${Problem} error=${customer.error} again=${customer.reload} />`}
    ${data && html`<header class="top"><h1><bdi>${data.name}</bdi>${data.deleted_at && html` <span class="status canceled">${t('deleted')}</span>`}</h1></header>
      <${Details} customer=${data} onChange=${customer.set} />`}
    <section aria-labelledby="orders"><h2 id="orders">${t('Orders')}</h2>
      <${Listing} list=${orders} nothing=${t('This customer has no orders.')}>
        <${Table} caption=${t('Orders')} columns=${columns.filter(column => column.title !== t('Customer'))} rows=${orders.data?.data ?? []} href=${order => at(`orders/${order.id}`)} />
      <//>
      <p><a class="button" href=${at('orders', { customer: id })}>${orders.data?.more ? t('All orders of this customer') : t('Filter, export or print these orders')}</a></p>
    </section>
    ${data && html`<section aria-labelledby="history"><h2 id="history">${t('What has happened')}</h2><${History} subject="customer" id=${id} changed=${data.updated_at} /></section>`}`
}

/** The fields of a customer's form. @param {{ values: Record<string, string>, onChange: (values: any) => void, checked?: boolean, disabled?: boolean }} props */
function Fields({ values, onChange, checked, disabled }) {
  return html`<${Field} label=${t('Name')} name="name" value=${values.name} maxlength="255" disabled=${disabled} aria-invalid=${checked && !values.name?.trim()} onInput=${name => onChange({ name })} />
    <${Field} label=${t('Email')} name="email" type="email" value=${values.email} maxlength="255" disabled=${disabled} aria-invalid=${checked && !values.email?.trim()} onInput=${email => onChange({ email })} />
    <${Field} label=${t('Phone')} name="phone" value=${values.phone} maxlength="50" disabled=${disabled} onInput=${phone => onChange({ phone })} />
    <${Field} label=${t('Reference')} name="reference" value=${values.external_ref} maxlength="100" disabled=${disabled} onInput=${external_ref => onChange({ external_ref })} />`
}

/** @param {{ customer: Customer, onChange: (customer: Customer) => void }} props */
function Details({ customer, onChange }) {
  const [deleting, setDeleting] = useState(false)
  const edit = useCustomerEdit(customer, onChange)
  const fields = ['name', 'email', 'phone', 'external_ref']
  const values = Object.fromEntries(fields.map(field => [field, edit.text(field)]))
  const changed = Object.keys(edit.changes).length > 0
  const save = () => { if (changed) edit.save(edit.changes) }
  const mayWrite = may('customers:write') && !customer.deleted_at
  return html`<${Form} label=${t('Details')} class="details" onSend=${save}>
    <${Fields} values=${values} disabled=${!mayWrite} onChange=${edit.type} />
    ${mayWrite && html`<p class="buttons unprinted"><button class="first" aria-disabled=${changed ? undefined : 'true'}>${t('Save')}</button>
      <button type="button" class="plain" onClick=${() => setDeleting(true)}>${t('Delete …')}</button></p>`}
    <${Outcome} sending=${edit.sending} />
    ${edit.theirs && html`<${Conflict} ...${edit} />`}
  <//>
  ${deleting && html`<${Delete} customer=${customer} onClose=${() => setDeleting(false)} />`}`
}

/** @param {{ customer: Customer, onClose: () => void }} props */
function Delete({ customer, onClose }) {
  const sending = useSend(() => api.deleteCustomer({ id: customer.id }).catch(error => { if (error.status !== 404) throw error }), { key: '', note: () => {} }, () => go(at('customers')))
  return html`<${Dialog} title=${t('Delete {name}?', { name: customer.name })} onClose=${onClose}><${Form} label=${t('Delete …')} onSend=${sending.send}>
    <p>${t('The orders stay. The email may be used again.')}</p><${Outcome} sending=${sending} />
    <p class="buttons"><button class="first danger">${t('Delete the customer')}</button><button type="button" autofocus onClick=${onClose}>${t('Keep the customer')}</button></p>
  <//><//>`
}

export function NewCustomer() {
  const draft = useDraft('customer', /** @type {Record<string, string>} */ ({ name: '', email: '', phone: '', external_ref: '' }))
  const [checked, setChecked] = useState(false)
  const given = Object.fromEntries(Object.entries(draft.values).filter(([, value]) => value.trim()).map(([name, value]) => [name, value.trim()]))
  const sending = useSend(key => api.createCustomer(/** @type {any} */ (given), { idempotencyKey: key }), draft, ({ data }) => { draft.forget(); go(at(`customers/${data.id}`)) })
  return html`<h1>${t('New customer')}</h1>
    <${Form} label=${t('New customer')} class="narrow" onSend=${() => { setChecked(true); if (given.name && given.email) sending.send() }}>
      <${Fields} values=${draft.values} checked=${checked} onChange=${draft.change} />
      <${Outcome} sending=${sending} draft=${draft} />
      <p class="buttons"><button class="first">${t('Save')}</button></p>
    <//>`
}
