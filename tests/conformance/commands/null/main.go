// A stand-in for hashicorp/null, to ask terraform about `moved` from null_resource: its schema, and nothing behind it. Built with
// terraform-plugin-framework 1.19, it lies in the mirror folder as registry.terraform.io/hashicorp/null/3.2.4.
package main

import (
	"context"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type p struct{}

func (p) Metadata(_ context.Context, _ provider.MetadataRequest, r *provider.MetadataResponse) { r.TypeName = "null" }
func (p) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse)             {}
func (p) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse)    {}
func (p) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return res{} }}
}
func (p) DataSources(context.Context) []func() datasource.DataSource { return nil }

type res struct{}
type model struct {
	Triggers types.Map    `tfsdk:"triggers"`
	ID       types.String `tfsdk:"id"`
}

func (res) Metadata(_ context.Context, q resource.MetadataRequest, r *resource.MetadataResponse) {
	r.TypeName = "null_resource"
}
func (res) Schema(_ context.Context, _ resource.SchemaRequest, r *resource.SchemaResponse) {
	r.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"triggers": schema.MapAttribute{ElementType: types.StringType, Optional: true, PlanModifiers: []planmodifier.Map{mapplanmodifier.RequiresReplace()}},
		"id":       schema.StringAttribute{Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()}},
	}}
}
func (res) Create(ctx context.Context, q resource.CreateRequest, r *resource.CreateResponse) {
	var m model
	r.Diagnostics.Append(q.Plan.Get(ctx, &m)...)
	m.ID = types.StringValue(strconv.FormatInt(time.Now().UnixNano(), 10))
	r.Diagnostics.Append(r.State.Set(ctx, &m)...)
}
func (res) Read(context.Context, resource.ReadRequest, *resource.ReadResponse)       {}
func (res) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}
func (res) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

func main() {
	providerserver.Serve(context.Background(), func() provider.Provider { return p{} }, providerserver.ServeOpts{Address: "registry.terraform.io/hashicorp/null", ProtocolVersion: 5})
}
