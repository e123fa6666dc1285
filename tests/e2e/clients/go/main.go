// Asks a mesh through the generated Go stubs: once whole, once streamed, and once with a key that it must refuse.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	gateway "llm-mesh.dev/gen/llm_mesh/gateway/v1"
	inference "llm-mesh.dev/gen/llm_mesh/inference/v1"
)

// seen is what the client tells about its calls.
type seen struct {
	Whole        string `json:"whole"`
	ChargedNanos int64  `json:"charged_nanos"`
	Reservation  string `json:"reservation"`
	Streamed     string `json:"streamed"`
	Finished     bool   `json:"finished"`
	Messages     int    `json:"messages"`
	StreamCharge int64  `json:"stream_charged_nanos"`
	Refusal      string `json:"refusal"`
	RefusalCode  string `json:"refusal_code"`
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	connection, err := grpc.NewClient(os.Getenv("ADDRESS"), grpc.WithTransportCredentials(transport()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := gateway.NewGatewayServiceClient(connection)

	var told seen
	keyed := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("KEY"))
	if err := whole(keyed, client, &told); err != nil {
		log.Fatalf("Generate: %v", err)
	}
	if err := streamed(keyed, client, &told); err != nil {
		log.Fatalf("GenerateStream: %v", err)
	}
	refused(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer mk_0000000000000000_wrong"), client, &told)
	line, err := json.Marshal(told)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func transport() credentials.TransportCredentials {
	authority := os.Getenv("AUTHORITY")
	if authority == "" {
		return insecure.NewCredentials()
	}
	checked, err := credentials.NewClientTLSFromFile(authority, "gateway.llm-mesh")
	if err != nil {
		log.Fatal(err)
	}
	return checked
}

func ask(model, text string) *inference.GenerateInput {
	part := &inference.Part{Kind: &inference.Part_Text{Text: &inference.Text{Text: text}}}
	message := &inference.Message{Role: inference.Role_ROLE_USER, Parts: []*inference.Part{part}}
	return &inference.GenerateInput{Model: model, Messages: []*inference.Message{message}}
}

func whole(ctx context.Context, client gateway.GatewayServiceClient, told *seen) error {
	answer, err := client.Generate(ctx, &gateway.GenerateRequest{Input: ask("sim-echo", "hello from Go")})
	if err != nil {
		return err
	}
	for _, part := range answer.GetOutput().GetChoices()[0].GetMessage().GetParts() {
		told.Whole += part.GetText().GetText()
	}
	told.ChargedNanos = answer.GetReceipt().GetCharged().GetNanos()
	told.Reservation = answer.GetReceipt().GetReservation()
	return nil
}

func streamed(ctx context.Context, client gateway.GatewayServiceClient, told *seen) error {
	stream, err := client.GenerateStream(ctx, &gateway.GenerateStreamRequest{Input: ask("sim-echo", "a stream of words for Go")})
	if err != nil {
		return err
	}
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		told.Messages++
		for _, event := range message.GetEvents() {
			told.Streamed += event.GetText().GetText()
			told.Finished = told.Finished || event.GetFinished() != nil
		}
		if receipt := message.GetReceipt(); receipt != nil {
			told.StreamCharge = receipt.GetCharged().GetNanos()
		}
	}
}

func refused(ctx context.Context, client gateway.GatewayServiceClient, told *seen) {
	_, err := client.Generate(ctx, &gateway.GenerateRequest{Input: ask("sim-echo", "hello")})
	told.RefusalCode = status.Code(err).String()
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			told.Refusal = info.GetReason()
		}
	}
}
