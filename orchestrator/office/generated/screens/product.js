import{html,useState}from"../vendor/htm-preact.js";import{api,may,useLoad}from"../client.js";import{useProductEdit}from"../edit.js";import{byKey}from"../focus.js";import{Conflict,Field,Form,Outcome,useDraft,useSend}from"../form.js";import{History}from"../history.js";import{PriceInPlace}from"../price.js";import{at,go}from"../router.js";import{Bar,Problem}from"../table.js";import{cents,exactly,number,person,t,when}from"../words.js";export function ProductScreen({id:e}){const s=useLoad(`product ${e}`,async t=>(await api.getProduct({id:e},{signal:t})).data),n=s.data;return html`<${Bar} loading=${s.loading} />
${s.error&&html`<${Problem} error=${s.error} again=${s.reload} />`}
${n&&html`<header class="top"><h1><bdi>${n.name}</bdi>${!n.active&&html` <span class="status canceled">${t("not for sale")}</span>`}</h1>
<div class="tools unprinted">${may("products:write")&&html`<a class="button first" ...${byKey("r")} href=${at("receive",{sku:n.sku})}>${t("Receive")}</a>`}
<button type="button" ...${byKey("p")} onClick=${()=>window.print()}>${t("Print")}</button></div></header>
<dl class="facts">
<div><dt>${t("SKU")}</dt><dd><bdi>${n.sku}</bdi></dd></div>
<div><dt>${t("In stock")}</dt><dd class="big">${number(n.stock)}</dd></div>
<div><dt>${t("Price")}</dt><dd><${PriceInPlace} product=${n} onChange=${s.set} /></dd></div>
</dl>
${may("products:write")&&html`<${Details} product=${n} onChange=${s.set} />`}
<div class="columns even">
<section aria-labelledby="stock"><h2 id="stock">${t("Changes of the stock")}</h2><${Adjustments} product=${n} /></section>
<section aria-labelledby="history"><h2 id="history">${t("What has happened")}</h2><${History} subject="product" id=${e} changed=${n.updated_at} /></section>
</div>`}`}function Details({product:e,onChange:n}){const s=useProductEdit(e,n),o=s.text("name");return html`<details class="unprinted"><summary>${t("Change the name, or stop selling it")}</summary>
<${Form} label=${t("Name")} class="inline-form" onSend=${()=>s.save({name:o.trim()})}>
<${Field} label=${t("Name")} value=${o} maxlength="255"
onInput=${e=>s.type({name:e})} />
<button class="first">${t("Save")}</button>
<button type="button" onClick=${()=>s.save({active:!e.active})}>${t(e.active?"Stop selling it":"Sell it again")}</button>
<//>
<${Outcome} sending=${s.sending} />${s.theirs&&html`<${Conflict} ...${s} />`}
</details>`}function Adjustments({product:{id:e,stock:n,updated_at:s}}){const o=useLoad(`adjustments ${e} ${s}`,async t=>(await api.listStockAdjustments({id:e,limit:50},{signal:t})).data);if(o.error)return html`<${Problem} error=${o.error} again=${o.reload} />`;const i={created:t("created"),"level set":t("level set")};return html`<table class="list small"><caption class="unseen">${t("Changes of the stock")}</caption>
<thead><tr><th scope="col">${t("When")}</th><th scope="col" class="number">${t("Pieces")}</th><th scope="col" class="number">${t("Stock after")}</th><th scope="col" class="wide">${t("Why")}</th><th scope="col">${t("Who")}</th></tr></thead>
<tbody>${o.data?.map((e,s,o)=>html`<${Orders} key=${"orders"+e.id} after=${o[s-1]} stock=${n} before=${e.level} /><tr key=${e.id}>
<td data-title=${t("When")}><time datetime=${e.created_at} title=${exactly(e.created_at)}>${when(e.created_at)}</time></td>
<td class="number" data-title=${t("Pieces")}>${(e.delta>0?"+":"")+number(e.delta)}</td><td class="number" data-title=${t("Stock after")}>${number(e.level)}</td>
<td class="wide" data-title=${t("Why")}><bdi>${i[e.reason]??e.reason}</bdi></td><td data-title=${t("Who")}><bdi>${e.actor?person(e.actor):"–"}</bdi></td></tr>`)}</tbody></table>
<p class="quiet">${t("A row of orders sums up what they took and returned; the orders are not listed here.")}</p>`}function Orders({before:e,after:n,stock:s}){const o=n?n.level-n.delta:s;return o!==e&&html`<tr><td></td><td class="number" data-title=${t("Pieces")}>${(o>e?"+":"")+number(o-e)}</td><td class="number" data-title=${t("Stock after")}>${number(o)}</td>
<td class="wide" data-title=${t("Why")}>${t("orders since the row below")}</td><td></td></tr>`}export function NewProduct(){const[r,l]=useState(!1),e=useDraft("product",{sku:"",name:"",price:"",stock:"0"}),{sku:n,name:s,price:o,stock:i}=e.values,a=cents(o),c=useSend(e=>api.createProduct({sku:n.trim(),name:s.trim(),price_cents:a??NaN,stock:Number(i)},{idempotencyKey:e}),e,({data:t})=>{e.forget(),go(at(`products/${t.id}`))}),d=()=>{l(!0),a!==null&&n.trim()&&s.trim()&&/^\d+$/.test(i)&&c.send()};return html`<h1>${t("New product")}</h1>
<${Form} label=${t("New product")} class="narrow" onSend=${d}>
<${Field} label=${t("SKU")} value=${n} maxlength="100" autofocus aria-invalid=${r&&!n.trim()} onInput=${t=>e.change({sku:t})} />
<${Field} label=${t("Name")} value=${s} maxlength="255" aria-invalid=${r&&!s.trim()} onInput=${t=>e.change({name:t})} />
<${Field} label=${t("Price")} value=${o} inputmode="decimal" aria-invalid=${(r||o)&&a===null} hint=${o&&a===null?t("This is no amount."):""} onInput=${t=>e.change({price:t})} />
<${Field} label=${t("In stock")} value=${i} inputmode="numeric" aria-invalid=${!/^\d+$/.test(i)} onInput=${t=>e.change({stock:t})} />
<${Outcome} sending=${c} draft=${e} />
<p class="buttons"><button class="first">${t("Save")}</button></p>
<//>`}