import{html}from"../vendor/htm-preact.js";import{api,may,useLoad}from"../client.js";import{Download}from"../file.js";import{byKey}from"../focus.js";import{PriceInPlace}from"../price.js";import{at,filter,useRoute}from"../router.js";import{Chip,Listing,Table}from"../table.js";import{number,t}from"../words.js";import{SearchField}from"./customers.js";function filters({search:e,low:t,active:n}){return{...e&&{search:e},...t&&{stock_below:t},...n&&{active:n==="true"}}}export const Stock=({n:e,low:t})=>html`<span class=${e===0?"status bad":e<t?"soon":""}>${number(e)}</span>`;export function Products(){const{query:e}=useRoute(),s=filters(e),o=e.cursor||0[0],n=useLoad("products "+JSON.stringify([s,o]),async e=>{const{data:t,meta:n}=await api.listProducts({...s,limit:50,cursor:o},{signal:e});return{data:t,meta:n}}),i={search:e.search&&`“${e.search}”`,low:e.low&&t("less than {n} in stock",{n:e.low}),active:e.active&&t(e.active==="true"?"For sale":"Not for sale")},r=e=>{n.data&&n.set({...n.data,data:n.data.data.map(t=>t.id===e.id?e:t)})},c=[{title:t("SKU"),kind:"text",cell:e=>e.sku},{title:t("Name"),kind:"wide",cell:e=>html`${e.name}${!e.active&&html` <span class="status canceled">${t("not for sale")}</span>`}`},{title:t("In stock"),kind:"number",cell:t=>html`<${Stock} n=${t.stock} low=${Number(e.low||10)} />`},{title:t("Price"),kind:"number",cell:e=>html`<${PriceInPlace} product=${e} onChange=${r} />`}],a=[t("Products"),...Object.values(i).filter(Boolean)].join(" · ");return html`<h1 class="unprinted">${t("Products")}</h1><h1 class="printed">${a}</h1>
<div class="tools">
<${SearchField} value=${e.search??""} placeholder=${t("a part of the SKU or name")} />
<div class="chips" role="group" aria-label=${t("Stock")}>
<${Chip} parts=${{low:e.low||"10"}}>${t("Low on stock")}<//>
<label class="inline">${t("less than")} <input type="number" min="1" class="short" value=${e.low??""} placeholder="10" onChange=${e=>filter({low:e.target.value})} /></label>
<${Chip} parts=${{active:"false"}}>${t("Not for sale")}<//>
</div>
</div>
<div class="tools actions">
${may("products:write")&&html`<a class="button first" href=${at("receive")}>${t("Receive")}</a><a class="button" href=${at("products/new")}>${t("New product")}</a>`}
<${Download} service="orders" path="/products/export" query=${s} letter="e" name=${t("Export")} />
<button type="button" ...${byKey("p")} onClick=${()=>window.print()}>${t("Print")}</button>
</div>
<${Listing} list=${n} filters=${i} nothing=${t("There are no products yet. A catalogue can be imported.")}>
<${Table} caption=${a} columns=${c} rows=${n.data?.data??[]} href=${e=>at(`products/${e.id}`)} />
<//>`}