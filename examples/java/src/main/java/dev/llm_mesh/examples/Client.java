// Asks a mesh through the generated Java stubs: once whole, once streamed, and once with a key that it must refuse.
package dev.llm_mesh.examples;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import dev.llm_mesh.gateway.v1.GatewayServiceGrpc;
import dev.llm_mesh.gateway.v1.GatewayServiceGrpc.GatewayServiceBlockingStub;
import dev.llm_mesh.gateway.v1.GenerateRequest;
import dev.llm_mesh.gateway.v1.GenerateResponse;
import dev.llm_mesh.gateway.v1.GenerateStreamRequest;
import dev.llm_mesh.gateway.v1.GenerateStreamResponse;
import dev.llm_mesh.inference.v1.GenerateInput;
import dev.llm_mesh.inference.v1.Message;
import dev.llm_mesh.inference.v1.Part;
import dev.llm_mesh.inference.v1.Role;
import dev.llm_mesh.inference.v1.StreamEvent;
import dev.llm_mesh.inference.v1.Text;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.io.IOException;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;

/** The client. ADDRESS, KEY and AUTHORITY are in its environment. */
public final class Client {
  private static final Metadata.Key<String> AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private Client() {}

  public static void main(String[] arguments) throws IOException {
    ManagedChannel channel = channel(variable("ADDRESS", "127.0.0.1:50051"), variable("AUTHORITY", ""));
    try {
      GatewayServiceBlockingStub mesh = mesh(channel, variable("KEY", ""));

      GenerateResponse answer = mesh.generate(GenerateRequest.newBuilder().setInput(ask("sim-echo", "hello from Java")).build());
      StringBuilder whole = new StringBuilder();
      for (Part part : answer.getOutput().getChoices(0).getMessage().getPartsList()) {
        whole.append(part.getText().getText());
      }

      StringBuilder streamed = new StringBuilder();
      boolean finished = false;
      int messages = 0;
      long streamCharged = 0;
      GenerateStreamRequest request = GenerateStreamRequest.newBuilder().setInput(ask("sim-echo", "a stream of words for Java")).build();
      Iterator<GenerateStreamResponse> stream = mesh.generateStream(request);
      while (stream.hasNext()) {
        GenerateStreamResponse message = stream.next();
        messages += 1;
        for (StreamEvent event : message.getEventsList()) {
          streamed.append(event.getText().getText());
          finished |= event.hasFinished();
        }
        if (message.hasReceipt()) {
          streamCharged = message.getReceipt().getCharged().getNanos();
        }
      }

      String refusal = "";
      String refusalCode = "";
      try {
        mesh(channel, "mk_0000000000000000_wrong").generate(GenerateRequest.newBuilder().setInput(ask("sim-echo", "hello")).build());
      } catch (StatusRuntimeException error) {
        refusalCode = error.getStatus().getCode().name();
        for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
          if (detail.is(ErrorInfo.class)) {
            refusal = detail.unpack(ErrorInfo.class).getReason();
          }
        }
      }

      System.out.printf(
          "{\"whole\": \"%s\", \"charged_nanos\": %d, \"reservation\": \"%s\", \"streamed\": \"%s\", \"finished\": %b, \"messages\": %d,"
              + " \"stream_charged_nanos\": %d, \"refusal\": \"%s\", \"refusal_code\": \"%s\"}%n",
          whole, answer.getReceipt().getCharged().getNanos(), answer.getReceipt().getReservation(), streamed, finished, messages,
          streamCharged, refusal, refusalCode);
    } finally {
      channel.shutdownNow();
    }
  }

  private static ManagedChannel channel(String address, String authority) throws IOException {
    if (authority.isEmpty()) {
      return Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    }
    ChannelCredentials checked = TlsChannelCredentials.newBuilder().trustManager(new File(authority)).build();
    ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(address, checked);
    return builder.overrideAuthority("gateway.llm-mesh").build();
  }

  private static GatewayServiceBlockingStub mesh(ManagedChannel channel, String key) {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + key);
    return GatewayServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private static GenerateInput ask(String model, String text) {
    Part part = Part.newBuilder().setText(Text.newBuilder().setText(text)).build();
    Message message = Message.newBuilder().setRole(Role.ROLE_USER).addParts(part).build();
    return GenerateInput.newBuilder().setModel(model).addMessages(message).build();
  }

  private static String variable(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }
}
