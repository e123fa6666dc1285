// Asks a mesh through the generated TypeScript: once whole, once streamed, and once with a key that it must refuse.

import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { GatewayService } from "@llm-mesh/protos/llm_mesh/gateway/v1/gateway_pb.js";
import { type GenerateInput, GenerateInputSchema } from "@llm-mesh/protos/llm_mesh/inference/v1/generate_pb.js";
import { Role } from "@llm-mesh/protos/llm_mesh/inference/v1/content_pb.js";

const { ADDRESS = "127.0.0.1:50051", KEY = "", AUTHORITY = "" } = process.env;

function mesh(key: string) {
  const authorised: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: `${AUTHORITY ? "https" : "http"}://${ADDRESS}`,
    interceptors: [authorised],
    nodeOptions: AUTHORITY ? { ca: readFileSync(AUTHORITY), servername: "gateway.llm-mesh" } : {},
    defaultTimeoutMs: 30_000,
  });
  return createClient(GatewayService, transport);
}

function ask(model: string, text: string): GenerateInput {
  const parts = [{ kind: { case: "text" as const, value: { text } } }];
  return create(GenerateInputSchema, { model, messages: [{ role: Role.USER, parts }] });
}

const client = mesh(KEY);

const answer = await client.generate({ input: ask("sim-echo", "hello from TypeScript") });
const parts = answer.output?.choices[0]?.message?.parts ?? [];
const whole = parts.map((part) => (part.kind.case === "text" ? part.kind.value.text : "")).join("");

let streamed = "";
let finished = false;
let messages = 0;
let streamCharged = 0n;
for await (const message of client.generateStream({ input: ask("sim-echo", "a stream of words for TypeScript") })) {
  messages += 1;
  for (const { kind } of message.events) {
    if (kind.case === "text") streamed += kind.value.text;
    if (kind.case === "finished") finished = true;
  }
  streamCharged = message.receipt?.charged?.nanos ?? streamCharged;
}

let refusal = "";
let refusalCode = "";
try {
  await mesh("mk_0000000000000000_wrong").generate({ input: ask("sim-echo", "hello") });
} catch (error) {
  const failure = ConnectError.from(error);
  refusalCode = Code[failure.code];
  // The detail is a google.rpc.ErrorInfo, whose first field is the reason.
  for (const detail of failure.details) {
    if ("type" in detail && detail.type === "google.rpc.ErrorInfo") {
      refusal = new TextDecoder().decode(detail.value.subarray(2, 2 + (detail.value[1] ?? 0)));
    }
  }
}

console.log(
  JSON.stringify({
    whole,
    charged_nanos: Number(answer.receipt?.charged?.nanos ?? 0n),
    reservation: answer.receipt?.reservation ?? "",
    streamed,
    finished,
    messages,
    stream_charged_nanos: Number(streamCharged),
    refusal,
    refusal_code: refusalCode,
  }),
);
process.exit(0);
