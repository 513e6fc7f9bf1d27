import{html}from"../vendor/htm-preact.js";import{api,useLoad,useMinutes}from"../client.js";import{Chart}from"../chart.js";import{at}from"../router.js";import{Bar,Problem,Table}from"../table.js";import{t,today,when}from"../words.js";import{last}from"./import.js";import{columns,withCustomers}from"./orders.js";import{Stock}from"./products.js";const low=10,shown=8,weeks=4;export function Today(){const e=useLoad("today waiting",async e=>{const{data:t}=await api.listOrders({status:"CREATED",sort:"created_at",limit:shown},{signal:e});return{data:await withCustomers(t,e),at:(new Date).toISOString()}}),n=useLoad("today low",async e=>{const n=async t=>(await api.listProducts({stock_below:t,active:!0,limit:100},{signal:e})).data;let t=await n(low);if(t.length===100){const e=await n(1);t=e.length<shown?t:e}return{data:t.sort((e,t)=>e.stock-t.stock).slice(0,shown),at:(new Date).toISOString()}});useMinutes(()=>{e.reload(),n.reload()});const o=[e.data?.at??"",n.data?.at??""].sort()[0],s=last();return html`<h1>${t("Today")}${o&&html` <small>${t("as of {time}",{time:when(o)})}</small>`}</h1>
<div class="columns even">
<section aria-labelledby="waiting"><h2 id="waiting">${t("Orders to confirm")}</h2><${Bar} loading=${e.loading&&!e.data} />
${e.error&&html`<${Problem} error=${e.error} again=${e.reload} />`}
${e.data&&(e.data.data.length?html`<${Table} caption=${t("Orders to confirm")} rows=${e.data.data} href=${e=>at(`orders/${e.id}`)}
columns=${columns.filter(({title:e})=>![t("Reference"),t("Created")].includes(e))} />
<p class="quiet">${t("The oldest come first: their pieces return to stock first.")} <a href=${at("orders",{status:"CREATED"})}>${t("All orders to confirm")}</a></p>`:html`<p class="good">${t("No order waits.")}</p>`)}
</section>
<section aria-labelledby="low"><h2 id="low">${t("Low on stock")}</h2><${Bar} loading=${n.loading&&!n.data} />
${n.error&&html`<${Problem} error=${n.error} again=${n.reload} />`}
${n.data&&(n.data.data.length?html`<${Table} caption=${t("Low on stock")} rows=${n.data.data} href=${e=>at(`products/${e.id}`)} columns=${[{title:t("SKU"),cell:e=>e.sku},{title:t("Name"),kind:"wide",cell:e=>e.name},{title:t("In stock"),kind:"number",cell:e=>html`<${Stock} n=${e.stock} low=${low} />`}]} /><p><a href=${at("products",{low,active:"true"})}>${t("All with less than {n}",{n:low})}</a></p>`:html`<p class="good">${t("Every product has {n} pieces or more.",{n:low})}</p>`)}
</section>
</div>
<${Weeks} />
${s&&html`<section aria-labelledby="imported"><h2 id="imported">${t("Last import here")}</h2>
<p class=${s.refused?"bad":""}><bdi>${s.name}</bdi>, ${when(s.at)}: ${s.says}</p></section>`}`}function Weeks(){const n=today(1-7*weeks),e=useLoad(`today summary ${n}`,async e=>{const t=Intl.DateTimeFormat().resolvedOptions().timeZone,{data:s}=await api.summarizeOrders({from:n,to:today(),tz:t},{signal:e});return s.days.map(({day:e,confirmed:t})=>({date:e,orders:t.orders,units:t.units,value:t.total_cents}))});return useMinutes(e.reload),html`<section aria-labelledby="weeks"><h2 id="weeks">${t("Confirmed in the last {n} weeks",{n:weeks})}</h2><${Bar} loading=${e.loading&&!e.data} />
${e.error&&html`<${Problem} error=${e.error} again=${e.reload} />`}
${e.data&&html`<${Chart} name=${t("Value of the confirmed orders, by day")} days=${e.data} />`}
</section>`}