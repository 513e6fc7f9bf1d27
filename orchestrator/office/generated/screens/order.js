import{html,useEffect,useRef,useState}from"../vendor/htm-preact.js";import{api,may,until,useLoad,useSeconds}from"../client.js";import{byKey}from"../focus.js";import{Dialog,Form,Outcome,Reason,useDraft,useSend}from"../form.js";import{History}from"../history.js";import{at}from"../router.js";import{Bar,Problem}from"../table.js";import{exactly,left,money,number,person,t,when}from"../words.js";import{Status,withCustomers}from"./orders.js";export function OrderScreen({id:e}){const[a,o]=useState(!1),s=useLoad(`order ${e}`,async t=>{const{data:n}=await api.getOrder({id:e},{signal:t});return(await withCustomers([n],t))[0]??null}),n=s.data,i=e=>{o(!1),s.set({...e,customer:n?.customer??null})};return html`<${Bar} loading=${s.loading} />
${s.error&&html`<${Problem} error=${s.error} again=${s.reload} />`}
${n&&html`<article class="order">
<header class="top">
<h1>${t("Order {id}",{id:e})} <${Status} order=${n} /></h1>
<${Actions} order=${n} onChange=${i} onStale=${s.reload} onCancel=${()=>o(!0)} />
</header>
<dl class="facts">
<div><dt>${t("Customer")}</dt><dd><a href=${at(`customers/${n.customer_id}`)}><bdi>${n.customer?.name??t("Customer {id}",{id:n.customer_id})}</bdi></a></dd></div>
${n.customer?.phone&&html`<div class="printed"><dt>${t("Phone")}</dt><dd><bdi>${n.customer.phone}</bdi></dd></div>`}
${n.external_ref&&html`<div><dt>${t("Reference")}</dt><dd><bdi>${n.external_ref}</bdi></dd></div>`}
<div><dt>${t("Created")}</dt><dd><time datetime=${n.created_at} title=${exactly(n.created_at)}>${when(n.created_at)}</time></dd></div>
${n.canceled_by&&html`<div><dt>${t("Canceled by")}</dt><dd><bdi>${person(n.canceled_by)}</bdi></dd></div>`}
${n.cancel_note&&html`<div><dt>${t("Reason")}</dt><dd><bdi>${n.cancel_note}</bdi></dd></div>`}
${Object.entries(n.metadata??{}).map(([e,t])=>html`<div><dt><bdi>${e}</bdi></dt><dd><bdi>${t}</bdi></dd></div>`)}
</dl>
<${Lines} order=${n} />
<section class="unprinted" aria-labelledby="history"><h2 id="history">${t("What has happened")}</h2>
<${History} subject="order" id=${e} changed=${n.updated_at} /></section>
</article>`}
${a&&n&&html`<${Cancel} order=${n} onChange=${i} onStale=${s.reload} onClose=${()=>{o(!1),s.reload()}} />`}`}function Lines({order:e}){const n=e.items.reduce((e,{qty:t})=>e+t,0);return html`<table class="lines list">
<caption class="unseen">${t("Lines")}</caption>
<thead><tr><td class="tick printed"></td><th scope="col">${t("SKU")}</th><th scope="col">${t("Name")}</th><th scope="col" class="number">${t("Quantity")}</th>
<th scope="col" class="number unprinted">${t("Price")}</th><th scope="col" class="number unprinted">${t("Amount")}</th></tr></thead>
<tbody>${e.items.map(e=>html`<tr key=${e.product_id}>
<td class="tick printed">☐</td><th scope="row"><a href=${at(`products/${e.product_id}`)}><bdi>${e.sku}</bdi></a></th><td class="wide"><bdi>${e.name}</bdi></td>
<td class="number" data-title=${t("Quantity")}>${number(e.qty)}</td><td class="number unprinted" data-title=${t("Price")}>${money(e.unit_price_cents)}</td><td class="number unprinted" data-title=${t("Amount")}>${money(e.subtotal_cents)}</td></tr>`)}</tbody>
<tfoot><tr><td class="tick printed"></td><th scope="row" colspan="2">${t("Total")}</th><td class="number">${number(n)}</td><td class="unprinted"></td><td class="number unprinted"><strong>${money(e.total_cents)}</strong></td></tr></tfoot>
</table>
<p class="printed signature">${t("Picked by")} ____________________ ${t("Date")} ____________________</p>`}function Actions({order:e,onChange:n,onStale:s,onCancel:o}){const c=useDraft(`confirm ${e.id}`,{}),a=useSend(t=>api.confirmOrder({id:e.id},{idempotencyKey:t}),c,({data:e})=>{c.forget(),n(e)}),i=e.cancelable_until;useSeconds(i!==null);const r=i!==null&&until(i)<=0;useEffect(()=>{r&&s()},[r]),useEffect(()=>{a.phase==="refused"&&s()},[a.phase]);const l=may("orders:write")?e.allowed_actions:[];return html`<div class="tools unprinted">
${l.includes("confirm")&&html`<button type="button" class="first" ...${byKey("c")} onClick=${a.send}>${t("Confirm")}</button>`}
${l.includes("cancel")&&!r&&html`<button type="button" ...${byKey("x")} onClick=${o}>${t("Cancel the order …")}</button>`}
<button type="button" ...${byKey("p")} onClick=${()=>window.print()}>${t("Print")}</button>
${i&&!r&&html`<small class="note">${t("can be canceled for {time} more",{time:left(until(i))})}</small>`}
<${Outcome} sending=${a} />
</div>`}function Cancel({order:e,onChange:n,onStale:s,onClose:o}){const i=useDraft(`cancel ${e.id}`,{reason:""}),{reason:a}=i.values,c=useRef(!1),r=useSend(t=>api.cancelOrder({id:e.id,...a.trim()&&{reason:a.trim()}},{idempotencyKey:t}).finally(()=>{c.current&&s()}),i,({data:e})=>{i.forget(),n(e)}),l=()=>{c.current=!0,!i.sent&&r.phase==="ready"&&i.forget(),o()};return html`<${Dialog} title=${t("Cancel order {id}",{id:e.id})} onClose=${l}>
<${Form} label=${t("Cancel order {id}",{id:e.id})} onSend=${r.send}>
<p>${t("Its stock returns. A canceled order stays canceled.")}</p>
<${Reason} value=${a} onInput=${e=>i.change({reason:e})} />
<${Outcome} sending=${r} draft=${i} />
<p class="buttons"><button class="first danger">${t("Cancel the order")}</button><button type="button" onClick=${l}>${t(i.sent?"Close":"Keep the order")}</button></p>
<//>
<//>`}