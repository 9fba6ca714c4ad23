#include "page.h"
#include "chart.h"

static const char *const style[] = {
    ":root{color-scheme:light "
    "dark;--bg:#f7f7f5;--card:#fff;--ink:#1c2430;--soft:#667080;--rule:#e3e4e0;--accent:#1f6f8b;"
    "--good:#2f8f5b;--warn:#c98a1b;--bad:#c8553d;--c0:#1f6f8b;--c1:#e07a2f;--c2:#4b9b5f;--c3:#b5446e;--c4:#7a62b5;"
    "--c5:#c9a227;--c6:#43a3a5;--c7:#8c564b;--c8:#5b7db1;--c9:#d1495b;--c10:#7f8c3a;--c11:#8a8f98}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e6e9ee;--soft:#93a0b0;--rule:#2b3440;"
    "--accent:#5bb5d5;--good:#5cc48a;--warn:#e3b04b;--bad:#ec7a62;--c0:#5bb5d5;--c1:#f2a05e;--c2:#7fce91;--c3:#e07ba2;"
    "--c4:#ab97e0;--c5:#e6c857;--c6:#6fd0d2;--c7:#c69086;--c8:#8fb0e3;--c9:#f0838f;--c10:#b5c26a;--c11:#a7adb6}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,\"Helvetica Neue\",sans-serif;font-variant-numeric:tabular-nums}\n"
    "main{max-width:1160px;margin:0 auto;padding:32px 24px 64px}header{margin-bottom:24px}\n"
    "h1{font-size:26px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}h2{font-size:18px;margin:40px 0 4px}"
    "h3{font-size:15px;margin:0;font-weight:600}\n"
    "header p,.lead{color:var(--soft);margin:0 0 12px;max-width:74ch}code{font:13px/1.5 "
    "ui-monospace,SFMono-Regular,Menlo,"
    "monospace}header code{display:block;background:var(--card);border:1px solid var(--rule);border-radius:8px;"
    "padding:8px 12px;overflow-wrap:anywhere}\n"
    ".tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:12px;margin:20px 0}"
    ".tile{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px 14px}"
    ".tile span{display:block;color:var(--soft);font-size:13px}.tile b{display:block;font-size:22px;line-height:1.3;"
    "font-weight:600}.tile small{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}\n",
    ".grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:16px;margin-bottom:16px}.wide{grid-column:1/"
    "-1}\n"
    "figure{margin:0}.chart,.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:16px;"
    "margin:0 0 16px}.grid>.chart{margin:0}figcaption p{margin:2px 0 0;color:var(--soft);font-size:13px}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px;color:var(--soft);margin:8px 0 "
    "6px;min-height:20px}"
    ".legend span{white-space:nowrap}.legend b{color:var(--ink);font-weight:600}.legend "
    "i{display:inline-block;width:10px;"
    "height:10px;border-radius:3px;margin-right:6px}\n"
    ".plot{position:relative;height:240px;margin-left:52px}.band .plot{height:110px}.grid .lines .plot{height:190px}"
    ".plot svg{position:absolute;inset:0;width:100%;height:100%;overflow:hidden}\n"
    ".ys span,.xs span{position:absolute;color:var(--soft);font-size:12px;white-space:nowrap}"
    ".ys "
    "span{right:100%;transform:translateY(-50%);padding-right:8px}.xs{position:relative;height:20px;margin-left:52px}"
    ".xs span{transform:translateX(-50%)}.xs span:first-child[style=\"left:0.00%\"]{transform:none}"
    ".xs em{position:absolute;right:0;color:var(--soft);font-size:12px;font-style:normal;background:var(--card);"
    "padding-left:6px}\n"
    ".rows .plot{margin-top:8px}.rows .plot,.rows .xs{margin-left:128px}.ys.named "
    "span{width:128px;overflow:hidden;text-overflow:ellipsis;"
    "text-align:right;line-height:20px;right:100%}.ys.named b{display:none;font-weight:600;color:var(--ink)}\n",
    "path{fill:none;vector-effect:non-scaling-stroke}.grid path,path.grid{stroke:var(--rule);stroke-width:1}"
    "path.line{stroke-width:1.75;stroke-linejoin:round}path.mark{stroke:var(--bad);stroke-width:1;stroke-dasharray:3 3}"
    ".areas path.area{fill-opacity:.85}.band path.area{fill-opacity:.3}.rows rect,.plus{fill:var(--c0)}"
    ".minus{fill:var(--bad)}.ground{fill:var(--bg)}\n"
    ".cursor{position:absolute;top:0;bottom:0;width:1px;background:var(--ink);opacity:.5;display:none;pointer-events:"
    "none}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:6px 10px;"
    "text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}th{color:var(--soft);font-weight:500}"
    "th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card)}tr:last-child td{"
    "border-bottom:0}td i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:8px}"
    ".best td{font-weight:600}.chip{border-radius:99px;padding:1px 8px;font-size:12px;border:1px solid currentColor}\n"
    ".squares{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:16px}.square svg{width:100%;"
    "max-width:420px;display:block;border-radius:4px}.bars svg{width:100%;height:90px;display:block;margin-bottom:8px}"
    ".square figcaption,.bars figcaption{font-size:13px;color:var(--soft);margin-bottom:4px}\n"
    ".rule-head{display:flex;justify-content:space-between;gap:8px;align-items:baseline}footer{color:var(--soft);"
    "font-size:13px;margin-top:40px}\n"
    "@media(max-width:720px){main{padding:20px 12px 48px}h1{font-size:22px}.grid{grid-template-columns:minmax(0,1fr)}"
    ".tiles{grid-template-columns:repeat(2,1fr);gap:8px}.plot{height:200px}.chart,.card{padding:12px}"
    ".rows .plot,.rows .xs{margin-left:92px}.ys.named span{width:92px}.xs span:nth-child(even){display:none}}\n"
    "@media print{.chart,.card,.tile{break-inside:avoid}}\n"};

/* Under the pointer a chart shows the values there; without it the last ones. */
static const char script[] =
    "const "
    "show=v=>v==null?'\\u2013':Math.abs(v)>=1e5||(v&&Math.abs(v)<1e-3)?v.toExponential(2):String(+v.toPrecision(4));\n"
    "const put=(b,v)=>b.dataset.p===undefined||v==null?show(v):v>0&&v<5e-4?'<0.1 %':(100*v).toFixed(1)+' %';\n"
    "for(const chart of document.querySelectorAll('.chart')){\n"
    "  const plot=chart.querySelector('.plot'),cursor=chart.querySelector('.cursor'),note=chart.querySelector('.xs "
    "em');\n"
    "  const cells=[...chart.querySelectorAll('b[data-k]')].filter(b=>D[b.dataset.k]);\n"
    "  const x=D.x,first=x[0],span=x[x.length-1]-first||1,said=cells.map(b=>b.textContent);\n"
    "  const at=e=>{const r=plot.getBoundingClientRect();\n"
    "    const want=first+span*Math.min(1,Math.max(0,(e.clientX-r.left)/r.width));let i=0,j=x.length-1;\n"
    "    while(i<j){const m=(i+j)>>1;x[m]<want?i=m+1:j=m}\n"
    "    cursor.style.display='block';cursor.style.left=100*(x[i]-first)/span+'%';\n"
    "    note.textContent=x[i].toLocaleString('en')+' samples';\n"
    "    cells.forEach(b=>{b.textContent=put(b,D[b.dataset.k][i]);b.style.display='inline'})};\n"
    "  plot.addEventListener('pointermove',at);plot.addEventListener('pointerdown',at);\n"
    "  plot.addEventListener('pointerleave',()=>{cursor.style.display='none';note.textContent='samples';\n"
    "    cells.forEach((b,i)=>{b.textContent=said[i];b.style.display=''})});\n"
    "}\n";

void page_open(FILE *out, const char *title)
{
    fprintf(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    put_html(out, title);
    fprintf(out, "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n%s%s%s", style[0], style[1], style[2]);
    for (int i = 0; i < CHART_COLOURS; i++)
        fprintf(out, "i.c%d{background:var(--c%d)}path.line.c%d{stroke:var(--c%d)}path.area.c%d{fill:var(--c%d)}\n", i,
                i, i, i, i, i);
    fprintf(out, "</style></head>\n<body><main>\n");
}

void page_close(FILE *out)
{
    fprintf(out, "<script>\n%s</script>\n</main></body></html>\n", script);
}
