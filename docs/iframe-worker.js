// Browsers start no workers for pages that are opened from a disk, and the search of the site is one.
// There a hidden frame of the page does its work: the interface of Worker that the search uses.
class IFrameWorker extends EventTarget {
  constructor(address) {
    super();
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.appendChild(frame);
    const inside = frame.contentWindow;
    window.addEventListener("message", (event) => {
      if (event.source === inside) this.dispatchEvent(new MessageEvent("message", { data: event.data }));
    });
    inside.document.open();
    inside.document.write(`<body><script>
      postMessage = (data) => parent.postMessage(data, "*");
      importScripts = (...addresses) => addresses.reduce((before, src) => before.then(() => new Promise((onload) =>
        document.body.appendChild(Object.assign(document.createElement("script"), { src, onload })))),
        Promise.resolve());
    </scr` + `ipt><script src="${address}"></scr` + `ipt></body>`);
    inside.document.close();
    this.ready = new Promise((loaded) => inside.addEventListener("load", loaded));
    this.inside = inside;
  }

  postMessage(data) {
    this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })));
  }
}
window.IFrameWorker = IFrameWorker;
if (location.protocol === "file:") window.Worker = IFrameWorker;
