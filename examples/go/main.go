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

// outcome is what the client prints about its calls.
type outcome struct {
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

	var result outcome
	keyed := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("KEY"))
	if err := whole(keyed, client, &result); err != nil {
		log.Fatalf("Generate: %v", err)
	}
	if err := streamed(keyed, client, &result); err != nil {
		log.Fatalf("GenerateStream: %v", err)
	}
	refused(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer mk_0000000000000000_wrong"), client, &result)
	line, err := json.Marshal(result)
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

func whole(ctx context.Context, client gateway.GatewayServiceClient, result *outcome) error {
	answer, err := client.Generate(ctx, &gateway.GenerateRequest{Input: ask("sim-echo", "hello from Go")})
	if err != nil {
		return err
	}
	for _, part := range answer.GetOutput().GetChoices()[0].GetMessage().GetParts() {
		result.Whole += part.GetText().GetText()
	}
	result.ChargedNanos = answer.GetReceipt().GetCharged().GetNanos()
	result.Reservation = answer.GetReceipt().GetReservation()
	return nil
}

func streamed(ctx context.Context, client gateway.GatewayServiceClient, result *outcome) error {
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
		result.Messages++
		for _, event := range message.GetEvents() {
			result.Streamed += event.GetText().GetText()
			result.Finished = result.Finished || event.GetFinished() != nil
		}
		if receipt := message.GetReceipt(); receipt != nil {
			result.StreamCharge = receipt.GetCharged().GetNanos()
		}
	}
}

func refused(ctx context.Context, client gateway.GatewayServiceClient, result *outcome) {
	_, err := client.Generate(ctx, &gateway.GenerateRequest{Input: ask("sim-echo", "hello")})
	result.RefusalCode = status.Code(err).String()
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			result.Refusal = info.GetReason()
		}
	}
}
