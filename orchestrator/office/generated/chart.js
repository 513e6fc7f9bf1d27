import{html}from"./vendor/htm-preact.js";import{count,dayName,money,number,shortDay,t}from"./words.js";const says=({orders:e,units:t,value:n})=>`${count(e,"1 order","{n} orders")}, ${count(t,"1 piece","{n} pieces")}, ${money(n)}`;export function Chart({days:e,name:n}){const o=100/Math.max(1,e.length),i=Math.max(1,...e.map(e=>e.value)),s=e.reduce((e,t)=>({value:e.value+t.value,units:e.units+t.units,orders:e.orders+t.orders}),{value:0,units:0,orders:0});return html`<figure class="chart">
<figcaption>${t("{value} in all, {units} pieces, {orders} orders",{value:money(s.value),units:number(s.units),orders:number(s.orders)})}
<span class="quiet"> · ${t("highest day {value}",{value:money(s.value?i:0)})}</span></figcaption>
<svg viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=${n}>
${e.map((e,t)=>html`<rect x=${t*o+o*.1} width=${o*.8} y=${24-Math.max(e.value?.6:.15,e.value/i*24)} height=${Math.max(e.value?.6:.15,e.value/i*24)}>
<title>${dayName(e.date)}: ${says(e)}</title></rect>`)}
</svg>
<div class="axis" aria-hidden="true"><span>${e[0]&&shortDay(e[0].date)}</span><span>${e.length&&shortDay(e[e.length-1]?.date??"")}</span></div>
<details><summary>${t("As a table")}</summary><table class="list small"><caption class="unseen">${n}</caption>
<thead><tr><th scope="col">${t("Day")}</th><th scope="col" class="number">${t("Orders")}</th><th scope="col" class="number">${t("Pieces")}</th><th scope="col" class="number">${t("Value")}</th></tr></thead>
<tbody>${e.map(e=>html`<tr><th scope="row">${dayName(e.date)}</th><td class="number" data-title=${t("Orders")}>${number(e.orders)}</td><td class="number" data-title=${t("Pieces")}>${number(e.units)}</td><td class="number" data-title=${t("Value")}>${money(e.value)}</td></tr>`)}</tbody></table></details>
</figure>`}