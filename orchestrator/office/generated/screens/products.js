import{html,useState}from"../vendor/htm-preact.js";import{api,may,useLoad}from"../client.js";import{called,Download,exported}from"../file.js";import{PriceInPlace}from"../price.js";import{Print}from"../print.js";import{at,filter,useRoute}from"../router.js";import{Chip,Listing,Table}from"../table.js";import{count,number,t}from"../words.js";import{SearchField}from"./customers.js";function filters({search:e,low:t,active:n}){return{...e&&{search:e},...t&&{stock_below:t},...n&&{active:n==="true"}}}export const Stock=({n:e,low:t})=>html`<span class=${e===0?"status bad":e<t?"soon":""}>${number(e)}</span>`;export function Products(){const{query:e}=useRoute(),s=filters(e),i=e.cursor||0[0],a="products "+JSON.stringify([s,i]),n=useLoad(a,async e=>{const{data:t,meta:n}=await api.listProducts({...s,limit:50,cursor:i},{signal:e});return{data:t,meta:n}}),[l,d]=useState(null),r=l??n.data,o={search:e.search&&`“${e.search}”`,low:e.low&&t("less than {n} in stock",{n:e.low}),active:e.active&&t(e.active==="true"?"For sale":"Not for sale")},u=e=>{n.data&&n.set({...n.data,data:n.data.data.map(t=>t.id===e.id?e:t)})},h=[{title:t("SKU"),kind:"text",cell:e=>e.sku},{title:t("Name"),kind:"wide",cell:e=>html`${e.name}${!e.active&&html` <span class="status canceled">${t("not for sale")}</span>`}`},{title:t("In stock"),kind:"number",cell:t=>html`<${Stock} n=${t.stock} low=${Number(e.low||10)} />`},{title:t("Price"),kind:"number",cell:e=>html`<${PriceInPlace} product=${e} onChange=${u} />`}],c=[t("Products"),...Object.values(o).filter(Boolean)].join(" · ");return html`<h1 class="unprinted">${t("Products")}</h1><h1 class="printed">${c}</h1>
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
<${Download} read=${e=>exported("orders","/products/export",s,e)} file=${called([t("Products"),...Object.values(o)])} letter="e" name=${t("Export")} />
<${Print} key=${a} list=${n} all=${e=>api.listProducts({...s,limit:100},{signal:e})} onPrint=${d} />
</div>
<${Listing} all list=${{...n,data:r}} filters=${o} nothing=${t("There are no products yet. A catalogue can be imported.")} counted=${e=>count(e,"1 product","{n} products")}>
<${Table} caption=${c} columns=${h} rows=${r?.data??[]} href=${e=>at(`products/${e.id}`)} />
<//>`}