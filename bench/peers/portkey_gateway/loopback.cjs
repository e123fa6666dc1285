// Every server of this process listens on loopback only, whatever it asks for.
const { Server } = require("node:net");

const listen = Server.prototype.listen;

Server.prototype.listen = function (...words) {
  if (typeof words[0] === "number") {
    const ready = words.find((word) => typeof word === "function");
    return listen.call(this, words[0], "127.0.0.1", ready);
  }
  if (words[0] && typeof words[0] === "object" && "port" in words[0]) {
    words[0] = { ...words[0], host: "127.0.0.1" };
  }
  return listen.apply(this, words);
};
