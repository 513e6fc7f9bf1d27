import{html,useState}from"../vendor/htm-preact.js";import{api,customersOf,forget,learn,may,useLoad}from"../client.js";import{useCustomerEdit}from"../edit.js";import{Conflict,Dialog,Field,Form,Outcome,useDraft,useSend}from"../form.js";import{History}from"../history.js";import{at,go}from"../router.js";import{Bar,Listing,Problem,Table}from"../table.js";import{t}from"../words.js";import{columns}from"./orders.js";export function CustomerScreen({id:e}){const n=useLoad(`customer ${e}`,async t=>{try{const{data:n}=await api.getCustomer({id:e},{signal:t});return learn(n),n}catch(n){if(n.status!==404)throw n;forget(e);const s=(await customersOf([e],t)).get(e);if(!s)throw n;return s}}),o=useLoad(`orders of ${e}`,async t=>{const{data:n,meta:s}=await api.listOrders({customer_id:e,sort:"-created_at",limit:20},{signal:t});return{data:n,meta:{nextCursor:null},more:s.nextCursor!==null}}),s=n.data;return html`<${Bar} loading=${n.loading} />
${n.error&&html`<${Problem} error=${n.error} again=${n.reload} />`}
${s&&html`<header class="top"><h1><bdi>${s.name}</bdi>${s.deleted_at&&html` <span class="status canceled">${t("deleted")}</span>`}</h1></header>
<${Details} customer=${s} onChange=${n.set} />`}
<section aria-labelledby="orders"><h2 id="orders">${t("Orders")}</h2>
<${Listing} list=${o} nothing=${t("This customer has no orders.")}>
<${Table} caption=${t("Orders")} columns=${columns.filter(e=>e.title!==t("Customer"))} rows=${o.data?.data??[]} href=${e=>at(`orders/${e.id}`)} />
<//>
<p><a class="button" href=${at("orders",{customer:e})}>${t(o.data?.more?"All orders of this customer":"Filter, export or print these orders")}</a></p>
</section>
${s&&html`<section aria-labelledby="history"><h2 id="history">${t("What has happened")}</h2><${History} subject="customer" id=${e} changed=${s.updated_at} /></section>`}`}function Fields({values:e,onChange:n,checked:s,disabled:o}){return html`<${Field} label=${t("Name")} name="name" value=${e.name} maxlength="255" disabled=${o} aria-invalid=${s&&!e.name?.trim()} onInput=${e=>n({name:e})} />
<${Field} label=${t("Email")} name="email" type="email" value=${e.email} maxlength="255" disabled=${o} aria-invalid=${s&&!e.email?.trim()} onInput=${e=>n({email:e})} />
<${Field} label=${t("Phone")} name="phone" value=${e.phone} maxlength="50" disabled=${o} onInput=${e=>n({phone:e})} />
<${Field} label=${t("Reference")} name="reference" value=${e.external_ref} maxlength="100" disabled=${o} onInput=${e=>n({external_ref:e})} />`}function Details({customer:e,onChange:n}){const[r,o]=useState(!1),s=useCustomerEdit(e,n),c=["name","email","phone","external_ref"],l=Object.fromEntries(c.map(e=>[e,s.text(e)])),i=Object.keys(s.changes).length>0,d=()=>{i&&s.save(s.changes)},a=may("customers:write")&&!e.deleted_at;return html`<${Form} label=${t("Details")} class="details" onSend=${d}>
<${Fields} values=${l} disabled=${!a} onChange=${s.type} />
${a&&html`<p class="buttons unprinted"><button class="first" aria-disabled=${i?0[0]:"true"}>${t("Save")}</button>
<button type="button" class="plain" onClick=${()=>o(!0)}>${t("Delete …")}</button></p>`}
<${Outcome} sending=${s.sending} />
${s.theirs&&html`<${Conflict} ...${s} />`}
<//>
${r&&html`<${Delete} customer=${e} onClose=${()=>o(!1)} />`}`}function Delete({customer:e,onClose:n}){const s=useSend(()=>api.deleteCustomer({id:e.id}).catch(e=>{if(e.status!==404)throw e}),{key:"",note:()=>{}},()=>go(at("customers")));return html`<${Dialog} title=${t("Delete {name}?",{name:e.name})} onClose=${n}><${Form} label=${t("Delete …")} onSend=${s.send}>
<p>${t("The orders stay. The email may be used again.")}</p><${Outcome} sending=${s} />
<p class="buttons"><button class="first danger">${t("Delete the customer")}</button><button type="button" autofocus onClick=${n}>${t("Keep the customer")}</button></p>
<//><//>`}export function NewCustomer(){const[o,i]=useState(!1),e=useDraft("customer",{name:"",email:"",phone:"",external_ref:""}),n=Object.fromEntries(Object.entries(e.values).filter(([,e])=>e.trim()).map(([e,t])=>[e,t.trim()])),s=useSend(e=>api.createCustomer(n,{idempotencyKey:e}),e,({data:t})=>{e.forget(),go(at(`customers/${t.id}`))});return html`<h1>${t("New customer")}</h1>
<${Form} label=${t("New customer")} class="narrow" onSend=${()=>{i(!0),n.name&&n.email&&s.send()}}>
<${Fields} values=${e.values} checked=${o} onChange=${e.change} />
<${Outcome} sending=${s} draft=${e} />
<p class="buttons"><button class="first">${t("Save")}</button></p>
<//>`}